// What cannot be used is refused by one sentence, which is shown to whoever asked.

export class Refusal extends Error {}

export function refuse(sentence) {
  throw new Refusal(sentence);
}

/** A value as a sentence shows it. */
export const brief = (value) => String(JSON.stringify(value)).slice(0, 60);
