// Which apartments does a site have, whose charging is whose, and how do they share what is fixed?
import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { seg, write } from "../api.js";
import { failure } from "../commands.js";
import { typedNumber } from "../format.js";
import { t } from "../i18n.js";
import { Choice, FinanceTabs, mayBill } from "../parts/finance.js";
import { Icon } from "../parts/icons.js";
import { Pending, useResource } from "../parts/resource.js";
import { go, route, withQuery } from "../router.js";

const COLUMNS = [
  ["apartment", "text"], ["contract_id", "text"], ["id_token", "text"], ["first_day", "date"], ["last_day", "date"], ["part", "text"],
]; // prettier-ignore

/** One row per contract or token; an apartment without any has a row too. */
function rowsOf(agreement) {
  return (agreement?.apartments ?? []).flatMap(({ apartment, part, holders }) =>
    (holders?.length ? holders : [{}]).map((holder, place) => ({ apartment, ...holder, part: place ? "" : part ?? "" })),
  );
}

/** The rows as the platform wants them, and the row that stands behind each of its paths. */
export function agreementOf(rows, language) {
  const apartments = new Map();
  const places = {};
  rows.forEach((row, at) => {
    const name = row.apartment?.trim() ?? "";
    if (!apartments.has(name)) {
      places[`apartments[${apartments.size}]`] = at;
      apartments.set(name, { at: apartments.size, value: { apartment: name, holders: [] } });
    }
    const { at: index, value } = apartments.get(name);
    if (typedNumber(row.part) !== null) value.part = typedNumber(row.part);
    const holder = {};
    for (const field of ["contract_id", "id_token", "first_day", "last_day"]) if (row[field]?.trim()) holder[field] = row[field].trim();
    if (!Object.keys(holder).length) return;
    places[`apartments[${index}].holders[${value.holders.length}]`] = at;
    value.holders.push(holder);
  });
  return { agreement: { apartments: [...apartments.values()].map(({ value }) => value), language }, places };
}

function Row({ row, at, change, remove, wrong, disabled }) {
  return html`
    <li class="apartment ${wrong ? "wrong" : ""}">
      ${COLUMNS.map(
        ([name, type]) => html`
          <label key=${name}>
            <span>${t(`apartment.${name}`)}</span>
            <input
              name=${`${name}-${at}`}
              type=${type}
              value=${row[name] ?? ""}
              disabled=${disabled}
              autocomplete="off"
              spellcheck="false"
              aria-invalid=${wrong?.field === name}
              onInput=${(event) => change(name, event.target.value)}
            />
          </label>
        `,
      )}
      <button type="button" class="quiet" disabled=${disabled} aria-label=${t("apartment.remove", { apartment: row.apartment ?? "" })} onClick=${remove}>
        <${Icon} name="cross" />
      </button>
      ${
        wrong &&
        html`
          <em class="bad">${wrong.text}</em>
        `
      }
    </li>
  `;
}

function Editor({ siteId, agreed, reload }) {
  const [rows, setRows] = useState(rowsOf(agreed.agreement));
  const [state, setState] = useState({});
  const form = useRef();
  const may = mayBill();
  useEffect(() => {
    if (state.focus) form.current?.elements[state.focus]?.focus();
  }, [state.focus]);
  const edit = (change) => (setRows(change), setState({}));
  const save = async (event) => {
    event.preventDefault();
    setState({ busy: true });
    const { agreement, places } = agreementOf(rows, agreed.agreement?.language ?? "sv");
    try {
      await write("PUT", `/sites/${seg(siteId)}/apartments`, agreement);
      setState({ done: true });
      reload();
    } catch (problem) {
      const [, path, field] = /^(apartments\[\d+\](?:\.holders\[\d+\])?)\.?(\w*)$/.exec(problem.field ?? "") ?? [];
      const at = places[path];
      if (at === undefined) setState({ text: failure(problem).text });
      else setState({ at, wrong: { field, text: problem.message }, focus: `${field || "apartment"}-${at}` });
    }
  };
  return html`
    <form class="apartments" ref=${form} onSubmit=${save}>
      <ul class="plain">
        ${rows.map(
          (row, at) => html`
            <${Row}
              key=${at}
              row=${row}
              at=${at}
              disabled=${!may}
              wrong=${state.at === at ? state.wrong : null}
              change=${(name, value) => edit((old) => old.map((each, place) => (place === at ? { ...each, [name]: value } : each)))}
              remove=${() => edit((old) => old.filter((_, place) => place !== at))}
            />
          `,
        )}
      </ul>
      ${
        rows.length === 0 &&
        html`
          <p class="calm">${t("apartment.none")}</p>
        `
      }
      <div class="edit-end">
        <button type="button" disabled=${!may} onClick=${() => edit((old) => [...old, {}])}>
          <${Icon} name="plus" />
          ${t("apartment.add")}
        </button>
        <button type="submit" class="primary" disabled=${!may || state.busy}>${t("edit.save")}</button>
        <p role="status" class=${state.text || state.wrong ? "bad" : "good"}>
          ${!may ? t("edit.no_right") : state.done ? t("edit.saved") : state.wrong ? t("edit.look") : state.text ?? ""}
        </p>
      </div>
    </form>
  `;
}

export function ApartmentsPage() {
  const { query } = route.value;
  const sites = useResource("/sites?limit=500");
  const items = sites.data?.items ?? [];
  const siteId = query.site_id ?? items[0]?.id;
  const agreed = useResource(siteId ? `/sites/${seg(siteId)}/apartments` : null);
  if (!sites.data || (siteId && !agreed.data))
    return html`
      <${Pending} ...${sites.data ? agreed : sites} />
    `;
  return html`
    <div class="page">
      <h1>${t("statement.apartments")}</h1>
      <${FinanceTabs} />
      <p class="lead">${t("apartment.lead")}</p>
      <form class="filters" onSubmit=${(event) => event.preventDefault()}>
        <${Choice} label=${t("statement.site")} value=${siteId} options=${items.map((each) => [each.id, each.name])} onChange=${(site_id) => go(withQuery("/apartments", { site_id }), { replace: true })} wide=${true} />
      </form>
      ${
        siteId &&
        html`
          <${Editor} key=${siteId} siteId=${siteId} agreed=${agreed.data} reload=${agreed.load} />
        `
      }
    </div>
  `;
}
