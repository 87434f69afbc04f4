// Which stations knock that nobody has admitted yet?
import { html, useEffect, useRef } from "../vendor/preact.js";
import { seg, write } from "../api.js";
import { nowMs } from "../clock.js";
import { duration, fullInstant, number } from "../format.js";
import { t } from "../i18n.js";
import { Actions } from "../parts/actions.js";
import { FactList } from "../parts/facts.js";
import { Icon } from "../parts/icons.js";
import { Pending, useResource } from "../parts/resource.js";

const LOOK_AGAIN_MS = 4_000; // the lobby belongs to no tenant, so the event stream does not tell of it

const isDoubtful = (guest) => guest.other_password || guest.other_address;

function admit(guest, sites, reload) {
  const keep = { name: "keep_password", label: t("lobby.keep_password"), type: "checkbox" };
  return {
    label: t("lobby.admit"),
    icon: "check",
    primary: true,
    title: t("lobby.admit_title", { station: guest.station_id }),
    explain: t("lobby.admit_explain"),
    fields: [
      { name: "site_id", label: t("column.site"), options: sites.map((site) => [site.id, site.name]), required: true },
      ...(isDoubtful(guest) ? [] : [keep]),
    ],
    run: async ({ site_id, keep_password }) => {
      const station = await write("POST", `/lobby/${seg(guest.station_id)}/admit`, {
        site_id,
        keep_password: keep_password === "on",
      });
      reload();
      const text = t(station.password ? "lobby.admitted" : "lobby.admitted_same", { station: guest.station_id });
      return { kind: "good", text, secret: station.password };
    },
  };
}

function dismiss(guest, reload) {
  return {
    label: t("lobby.dismiss"),
    icon: "cross",
    title: t("lobby.dismiss_title", { station: guest.station_id }),
    explain: t("lobby.dismiss_explain"),
    run: async () => {
      await write("DELETE", `/lobby/${seg(guest.station_id)}`);
      reload();
      return { kind: "good", text: t("lobby.dismissed") };
    },
  };
}

function doubt({ other_password, other_address }) {
  const seen = [
    other_password && t("lobby.other_password"),
    other_address && t("lobby.other_address", { address: other_address }),
  ];
  return [...seen.filter(Boolean), t("lobby.doubt")].join(" ");
}

function Guest({ guest, sites, gone, reload }) {
  const seen = t("ago", { time: duration(nowMs.value - Date.parse(guest.last_seen_at)) });
  const facts = [
    [t("column.protocol"), guest.protocol],
    [t("column.model"), [guest.vendor, guest.model].filter(Boolean).join(" ") || "–"],
    [t("lobby.address"), guest.address],
    [t("lobby.attempts"), number(guest.attempts)],
    [
      t("column.seen"),
      html`
        <span title=${fullInstant(guest.last_seen_at)}>${seen}</span>
      `,
    ],
  ];
  return html`
    <li class="panel guest ${gone ? "gone" : ""}">
      <h2>${guest.station_id}</h2>
      <${FactList} facts=${facts} />
      ${
        isDoubtful(guest) &&
        html`
          <p class="doubt">
            <${Icon} name="warning" />
            ${doubt(guest)}
          </p>
        `
      }
      <${Actions} actions=${gone ? [] : [admit(guest, sites, reload), dismiss(guest, reload)]} />
    </li>
  `;
}

/** Guests who are here, and those who left while the page was open: their password is shown only here. */
function useGuests(items) {
  const seen = useRef(new Map());
  const here = new Set((items ?? []).map((guest) => guest.station_id));
  for (const guest of items ?? []) seen.current.set(guest.station_id, guest);
  return [...seen.current.values()].map((guest) => [guest, !here.has(guest.station_id)]);
}

export function LobbyPage() {
  const list = useResource("/lobby");
  const sites = useResource("/sites");
  const guests = useGuests(list.data?.items);
  useEffect(() => {
    const timer = setInterval(() => document.hidden || list.load(), LOOK_AGAIN_MS);
    return () => clearInterval(timer);
  }, [list.load]);
  if (!list.data)
    return html`
      <${Pending} ...${list} />
    `;
  return html`
    <div class="page">
      <h1>${t("nav.lobby")}</h1>
      <p class="lead">${t("lobby.lead")}</p>
      ${
        guests.length === 0 &&
        html`
          <p class="calm">${t("lobby.empty")}</p>
        `
      }
      <ul class="panels">
        ${guests.map(
          ([guest, gone]) => html`
            <${Guest}
              key=${guest.station_id}
              guest=${guest}
              gone=${gone}
              sites=${sites.data?.items ?? []}
              reload=${list.load}
            />
          `,
        )}
      </ul>
    </div>
  `;
}
