// How is JSON read and written without losing a digit? Numbers stay the text that they were written as.
//
// A number is held as its text behind a mark, so that 0.10200000000000001 and 3.10 leave as they came.

const MARK = "\u0001";
const TOKEN = /"(?:\\.|[^"\\])*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const MARKED = /"\\u0001([^"]*)"/g;
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/** What a JSON text says, its numbers as marked texts. Throws SyntaxError. */
export function parseExact(text) {
  JSON.parse(text); // what is no JSON is refused before anything in it is marked
  return JSON.parse(text.replace(TOKEN, (token) => (token.startsWith('"') ? token : `"\\u0001${token}"`)));
}

/** The JSON text of what `parseExact` gave, its numbers as they came. */
export const writeExact = (value, indent = 2) => JSON.stringify(value, null, indent).replace(MARKED, "$1");

/** A number to be written as typed; a text that is no number stays one, so that the platform can name it. */
export const exactNumber = (text) => (NUMBER.test(text) ? MARK + text : text);

/** The text of a number, whether it came as a number or as a text. */
export const textOf = (value) => (typeof value === "string" ? value.replace(MARK, "") : String(value ?? ""));

export const isNumber = (value) => typeof value === "string" && value.startsWith(MARK);
