// What session did somebody mean?
//
// Ids are read over the phone and pasted from mails, so dashes, case and look-alikes don't count.
const LOOK_ALIKE = { I: "1", L: "1", O: "0", U: "V" };
const FORMS = [
  /(?<![0-9A-Za-z])[0-9A-Za-z]{4}(?:\s*[\u2010-\u2015-]\s*[0-9A-Za-z]{4}){3}(?![0-9A-Za-z])/, // with dashes
  /(?<![0-9A-Za-z])[0-9A-Za-z]{16}(?![0-9A-Za-z])/, // in one piece
  /(?<![0-9A-Za-z])[0-9A-Za-z]{4}(?:\s+[0-9A-Za-z]{4}){3}(?![0-9A-Za-z])/, // with spaces
];

/** The session id in a text, as we write it (AWQD-K011-CEHY-SPKN), or null. */
export function findSessionId(text) {
  const found = FORMS.map((form) => form.exec(text)?.[0]).find(Boolean) ?? text;
  const letters = found.replace(/[\s\u2010-\u2015-]/g, "").toUpperCase();
  if (!/^[0-9A-Z]{16}$/.test(letters)) return null;
  return letters
    .replace(/[ILOU]/g, (letter) => LOOK_ALIKE[letter])
    .match(/.{4}/g)
    .join("-");
}
