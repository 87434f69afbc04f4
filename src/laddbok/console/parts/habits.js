// What do we know of this station? What its sessions taught us, by version, and what is publicly known of its model.
import { html } from "../vendor/preact.js";
import { nowMs } from "../clock.js";
import { duration, fullInstant, instant } from "../format.js";
import { t, tCode } from "../i18n.js";
import { sessionPath } from "../router.js";
import { Pending, useResource } from "./resource.js";
import { seg } from "../api.js";

/** The habits that a version believes, in words. */
function believed(version) {
  const offset_s = version.clock_offset_s;
  const clock = t(offset_s < 0 ? "habit.clock_ahead" : "habit.clock_behind", { time: duration(Math.abs(offset_s) * 1000) });
  return [
    ...(version.register_kind === "unknown" ? [] : [tCode("register_kind", version.register_kind)]),
    ...(version.samples_from_zero ? [t("habit.samples_from_zero")] : []),
    ...(version.register_unit_wh === 1 ? [] : [t("habit.register_unit_wh", { wh: version.register_unit_wh })]),
    ...(offset_s === 0 ? [] : [clock]),
    ...version.phases.map(({ evse_id, lines }) => t("habit.phases", { evse: evse_id, lines: lines.join(", ") })),
  ];
}

function Version({ version, newest }) {
  const habits = believed(version);
  return html`
    <li>
      <p class="soft">
        ${t(newest ? "habit.now" : "habit.before", { version: version.version })}${" · "}
        <span title=${fullInstant(version.learned_at)}>${instant(version.learned_at, { against: nowMs.peek() })}</span>
        ${" · "}${t("habit.taught_by")}${" "}
        <a class="id" href=${sessionPath(version.session_id)}>${version.session_id}</a>
      </p>
      <ul class="points">
        ${habits.map(
          (habit) => html`
            <li key=${habit}>${habit}</li>
          `,
        )}
        ${
          habits.length === 0 &&
          html`
            <li class="soft">${t("habit.none_believed")}</li>
          `
        }
        ${
          newest &&
          version.watched.map(
            ({ habit, value }) => html`
              <li class="soft" key=${habit}>
                ${t("habit.watched", { habit: tCode("habit_name", habit), value: tCode("register_kind", String(value)) })}
              </li>
            `,
          )
        }
      </ul>
    </li>
  `;
}

function Quirks({ quirks }) {
  if (!quirks.length)
    return html`
      <p class="soft">${t("habit.no_quirks")}</p>
    `;
  return html`
    <ul class="points">
      ${quirks.map(
        (quirk) => html`
          <li key=${`${quirk.vendor} ${quirk.model} ${quirk.firmware} ${quirk.source}`}>
            ${quirk.flags.map((flag) => tCode("quirk", flag)).join(" ")}
            ${" "}
            <span class="soft">${t("habit.source", { source: quirk.source })}</span>
          </li>
        `,
      )}
    </ul>
  `;
}

export function Habits({ stationId }) {
  const known = useResource(`/stations/${seg(stationId)}/traits`);
  return html`
    <section class="panel habits" aria-labelledby="habits">
      <h2 id="habits">${t("habit.title")}</h2>
      ${
        known.data
          ? html`
              <div class="habit-columns">
                <div>
                  <h3>${t("habit.learned")}</h3>
                  ${
                    known.data.versions.length === 0 &&
                    html`
                      <p class="soft">${t("habit.nothing")}</p>
                    `
                  }
                  <ol>
                    ${known.data.versions.map(
                      (version, index) => html`
                        <${Version} key=${version.version} version=${version} newest=${index === 0} />
                      `,
                    )}
                  </ol>
                </div>
                <div>
                  <h3>${t("habit.model")}</h3>
                  <${Quirks} quirks=${known.data.quirks} />
                </div>
              </div>
            `
          : html`
              <${Pending} ...${known} />
            `
      }
    </section>
  `;
}
