/**
 * Sentences in the reader's language. English is the key; what stands in the page (`#words`) says
 * what each sentence of its scripts is in the other language. Where there is no page it is English.
 */
const page = globalThis.document;
const language = page?.documentElement.lang ?? "en";
const english = language.startsWith("en");
const words = JSON.parse(page?.getElementById("words")?.textContent ?? "{}");

/** Take sentences from a script of ours: what a page brings along does not stand in their place. */
export const learn = (said) => Object.assign(words, said);

/** A sentence that stands in the catalogues, as it is: whoever shows it has it translated. */
export const N_ = (text) => text;

/** The sentence in the reader's language; `values` take the place of each %(name)s. */
export const _ = (text, values = {}) => filled(english ? text : (words[text] ?? text), values);

/** The same in the language that the page does not speak. */
export const inOther = (text, values = {}) =>
  filled(english ? (words[text] ?? text) : text, values);

/**
 * What a problem of the service (RFC 9457) says to people, in the reader's language; "" where it says nothing.
 * Who has to wait is told how long.
 */
export const titleOf = (problem, tongue = language) => {
  const chinese = tongue.startsWith("zh");
  const title = (chinese ? problem.title_zh : undefined) ?? problem.title ?? "";
  const wait = problem.retry_after ? (chinese ? problem.detail_zh : problem.detail) : "";
  return wait ? `${title} (${wait})` : title;
};

/** A sentence about `num` things. */
export function ngettext(singular, plural, num, values = {}) {
  const text = english ? (num === 1 ? singular : plural) : (words[singular] ?? plural);
  return filled(text, { num, ...values });
}

/** Sentences one after the other, as the reader's language sets them. */
export const joined = (sentences) => sentences.filter(Boolean).join(english ? " " : "");

const filled = (text, values) => text.replace(/%\((\w+)\)s/g, (_whole, name) => String(values[name]));
