// What does a tariff consist of, in an operator's words? The sections of the form.
import { html, useMemo } from "../vendor/preact.js";
import { t, tCode } from "../i18n.js";
import { EMPTY_ADDITION, EMPTY_WINDOW, KINDS, idOf, taxOf } from "../tariff-form.js";
import { Choice, Field, Hours, Rows, Trouble } from "./tariff-fields.js";

const signs = { SEK: "kr", NOK: "kr", DKK: "kr", EUR: "€", GBP: "£" };
const sign = ({ form }) => signs[form.currency] ?? form.currency;
const ZONES = ["SE1", "SE2", "SE3", "SE4"];

function Section({ title, lead, children }) {
  return html`
    <fieldset class="panel">
      <legend>${title}</legend>
      ${
        lead &&
        html`
          <p class="soft">${lead}</p>
        `
      }
      ${children}
    </fieldset>
  `;
}

/** A name of a new tariff also suggests its id, until somebody types one. */
function Name({ ui, isNew }) {
  const named = (event) => {
    const { name, id } = ui.form;
    ui.change({ ...ui.form, name: event.target.value, ...(isNew && id === idOf(name) ? { id: idOf(event.target.value) } : {}) });
  };
  const known = ["", "AD_HOC_PAYMENT", "REGULAR"];
  const names = known.includes(ui.form.type) ? known : [...known, ui.form.type];
  const types = names.map((name) => [name, tCode("tariff_type", name || "ALL")]);
  return html`
    <${Section} title=${t("tariff.section_name")}>
      <div class="pair">
        <${Field} ui=${ui} at="name" label=${t("tariff.name")} more=${{ onInput: named, maxlength: 100 }} />
        <${Field}
          ui=${ui}
          at="id"
          label=${t("tariff.id")}
          hint=${isNew ? t("tariff.id_hint") : null}
          more=${{ disabled: !isNew, maxlength: 36 }}
        />
      </div>
      <${Choice} ui=${ui} at="type" label=${t("tariff.type")} options=${types} />
    <//>
  `;
}

function Windows({ ui, per }) {
  return html`
    <${Field} ui=${ui} at="price" label=${t("tariff.price_else")} unit=${per} />
    <h3>${t("tariff.windows")}</h3>
    <${Rows}
      ui=${ui}
      at="windows"
      empty=${EMPTY_WINDOW}
      add=${t("tariff.add_window")}
      row=${(at) => html`
        <${Field} ui=${ui} at=${`${at}.price`} label=${t("tariff.price")} unit=${per} />
        <${Hours} ui=${ui} at=${at} />
      `}
    />
  `;
}

function Tiers({ ui, per }) {
  return html`
    <${Rows}
      ui=${ui}
      at="tiers"
      empty=${{ to_kwh: "", price: "" }}
      add=${t("tariff.add_tier")}
      row=${(at) => html`
        <${Field} ui=${ui} at=${`${at}.to_kwh`} label=${t("tariff.up_to")} unit="kWh" />
        <${Field} ui=${ui} at=${`${at}.price`} label=${t("tariff.price")} unit=${per} />
      `}
    />
    <${Field} ui=${ui} at="price" label=${t("tariff.price_beyond")} unit=${per} />
  `;
}

function Spot({ ui, per }) {
  const zones = ZONES.includes(ui.form.spot.zone) ? ZONES : [...ZONES, ui.form.spot.zone];
  const dated = (at) => html`
    <${Field} ui=${ui} at=${`${at}.per_kwh`} label=${t("tariff.addition")} unit=${per} />
    <${Field} ui=${ui} at=${`${at}.since`} label=${t("tariff.since")} type="date" />
    <${Field} ui=${ui} at=${`${at}.until`} label=${t("tariff.until")} type="date" />
  `;
  return html`
    <p class="soft">${t("tariff.spot_lead")}</p>
    <div class="pair">
      <${Choice} ui=${ui} at="spot.zone" label=${t("tariff.zone")} options=${zones.map((zone) => [zone, zone])} />
      <${Field} ui=${ui} at="spot.markup" label=${t("tariff.markup")} unit=${per} />
    </div>
    <h3>${t("tariff.grid")}</h3>
    <${Rows}
      ui=${ui}
      at="spot.grid"
      empty=${EMPTY_ADDITION}
      add=${t("tariff.add_grid")}
      row=${(at) => html`
        <${Field} ui=${ui} at=${`${at}.per_kwh`} label=${t("tariff.addition")} unit=${per} />
        <${Hours} ui=${ui} at=${at} />
      `}
    />
    <h3>${t("tariff.energy_tax")}</h3>
    <${Rows} ui=${ui} at="spot.energy_tax" empty=${EMPTY_ADDITION} add=${t("tariff.add_tax")} row=${dated} />
  `;
}

const ENERGY = {
  fixed: ({ ui, per }) => html`
    <${Field} ui=${ui} at="price" label=${t("tariff.price")} unit=${per} />
  `,
  windows: Windows,
  tiers: Tiers,
  spot: Spot,
  none: () => html`
    <p class="soft">${t("tariff.no_energy")}</p>
  `,
};

function Energy({ ui }) {
  const Fields = ENERGY[ui.form.kind];
  return html`
    <${Section} title=${t("tariff.section_energy")}>
      <div class="kinds" role="radiogroup" aria-label=${t("tariff.section_energy")}>
        ${KINDS.map(
          (kind) => html`
            <label key=${kind}>
              <input
                type="radio"
                name="kind"
                value=${kind}
                checked=${ui.form.kind === kind}
                onChange=${() => ui.set("kind", kind)}
              />
              <span>${t(`energy_kind.${kind}`)}</span>
            </label>
          `,
        )}
      </div>
      <${Trouble} ui=${ui} at="kind" />
      <${Fields} ui=${ui} per=${`${sign(ui)}/kWh`} />
    <//>
  `;
}

function Others({ ui }) {
  return html`
    <${Section} title=${t("tariff.section_others")}>
      <div class="pair">
        <${Field} ui=${ui} at="flat" label=${t("tariff.flat")} unit=${sign(ui)} />
        <${Field} ui=${ui} at="time" label=${t("tariff.time")} unit=${`${sign(ui)}/h`} />
      </div>
    <//>
  `;
}

function Idle({ ui }) {
  const untils = ["transaction", "unplug"].map((name) => [name, t(`idle_until.${name}`)]);
  return html`
    <${Section} title=${t("tariff.section_idle")} lead=${t("tariff.idle_lead")}>
      <div class="triple">
        <${Field} ui=${ui} at="idle.per_min" label=${t("tariff.per_min")} unit=${`${sign(ui)}/min`} />
        <${Field} ui=${ui} at="idle.grace_min" label=${t("tariff.grace")} unit="min" />
        <${Field} ui=${ui} at="idle.cap" label=${t("tariff.cap")} unit=${sign(ui)} />
      </div>
      <${Choice} ui=${ui} at="idle.until" label=${t("tariff.idle_until")} options=${untils} />
      <h3>${t("tariff.exempt")}</h3>
      <${Rows}
        ui=${ui}
        at="idle.exempt"
        empty=${{ from: "22:00", to: "06:00", days: [] }}
        add=${t("tariff.add_exempt")}
        row=${(at) => html`
          <${Hours} ui=${ui} at=${at} />
        `}
      />
    <//>
  `;
}

function Vat({ ui }) {
  const { form } = ui;
  const locked = form.kind === "spot";
  const taxes = ["YES", "NO", "N/A"].map((name) => [name, t(`tax.${name.replace("/", "")}`)]);
  const shown = taxOf(form) === "absent" ? "NO" : taxOf(form);
  return html`
    <${Section} title=${t("tariff.section_vat")} lead=${locked ? t("tariff.spot_vat") : null}>
      <div class="pair">
        <${Choice}
          ui=${ui}
          at="tax"
          label=${t("tariff.tax")}
          options=${locked ? taxes.filter(([name]) => name !== "YES") : taxes}
          value=${shown}
        />
        <${Field} ui=${ui} at="vat" label=${t("price.vat")} unit="%" />
      </div>
      <div class="pair">
        <${Field} ui=${ui} at="min" label=${t("tariff.min")} unit=${sign(ui)} />
        <${Field} ui=${ui} at="max" label=${t("tariff.max")} unit=${sign(ui)} />
      </div>
    <//>
  `;
}

/** Folded away where there is none: most tariffs have none. */
function Subscription({ ui }) {
  const isUsed = useMemo(() => Boolean(ui.form.month_fee || ui.form.included.some(({ to_kwh }) => to_kwh)), []);
  const isWrong = Object.keys({ ...ui.errors, ...ui.notes }).some((at) => /^(month_fee|included)/.test(at));
  return html`
    <details class="panel folded" open=${isUsed || isWrong}>
      <summary>${t("tariff.section_subscription")}</summary>
      <p class="soft">${t("tariff.subscription_lead")}</p>
      <${Field} ui=${ui} at="month_fee" label=${t("tariff.month_fee")} unit=${sign(ui)} />
      <${Rows}
        ui=${ui}
        at="included"
        empty=${{ to_kwh: "", per_kwh: "" }}
        add=${t("tariff.add_included")}
        row=${(at) => html`
          <${Field} ui=${ui} at=${`${at}.to_kwh`} label=${t("tariff.included")} unit="kWh" />
          <${Field} ui=${ui} at=${`${at}.per_kwh`} label=${t("tariff.included_price")} unit=${`${sign(ui)}/kWh`} />
        `}
      />
    </details>
  `;
}

/** What the form carries along without showing it. */
function Kept({ form }) {
  const names = [...Object.keys(form.kept), ...Object.keys(form.kept_ours).map((name) => `laddbok.${name}`)];
  if (!names.length) return null;
  return html`
    <p class="soft">${t("tariff.kept", { names: names.join(", ") })}</p>
  `;
}

/** @param ui {form, set(path, value), change(form), errors, notes}; `disabled`: to be read only */
export function TariffForm({ ui, isNew, disabled }) {
  return html`
    <form class="tariff-form" onSubmit=${(event) => event.preventDefault()}>
      <fieldset class="whole" disabled=${disabled}>
        <${Name} ui=${ui} isNew=${isNew} />
        <${Energy} ui=${ui} />
        <${Idle} ui=${ui} />
        <${Others} ui=${ui} />
        <${Vat} ui=${ui} />
        <${Subscription} ui=${ui} />
        <${Kept} form=${ui.form} />
        <${Trouble} ui=${ui} at="" />
      </fieldset>
    </form>
  `;
}
