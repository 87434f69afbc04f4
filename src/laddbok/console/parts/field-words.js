// What is wrong with a field, in the reader's words? The platform's own where we have none.
import { language, t } from "../i18n.js";

const KNOWN = new Set([
  "organisation_number", "vat_number", "bankgiro", "iban", "bic", "email", "endpoint_id", "endpoint_scheme", "country", "name",
]); // prettier-ignore

/** @param problem of a write, with the field that it lies in */
export function words(problem) {
  if (language.value === "en") return problem.message;
  return KNOWN.has(problem.field) ? t(`field_wrong.${problem.field}`) : problem.message;
}
