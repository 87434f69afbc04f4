// Which fields tell who a legal entity is, a seller as well as a host?
import { t } from "../i18n.js";

/** A field of a legal entity, half as wide as the form. */
export const half = (name, more = {}) => ({ name, label: t(`seller.${name}`), half: true, ...more });

/** Name, numbers, and whether it is approved for F-tax. */
export const whoFields = () => ({
  title: t("customer.who"),
  fields: [
    { ...half("name", { required: true }), half: false },
    half("organisation_number"),
    half("vat_number"),
    { ...half("f_skatt", { type: "checkbox" }), half: false },
  ],
});
