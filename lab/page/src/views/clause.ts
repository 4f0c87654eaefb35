// Where a clause can be read: `RFC 9293 §3.10.7.4` is a section of a document that has an address.

export interface Link {
  text: string;
  href?: string;
}

/** The clauses of a list with commas, each with its address if it is known. */
export function linksOf(clause: string): Link[] {
  return clause.split(/,\s*/).map((text) => ({ text, href: addressOf(text) }));
}

function addressOf(text: string): string | undefined {
  const rfc = /^RFC (\d+)(?: §([\d.]+\d|\d+))?/.exec(text);
  if (rfc) return `https://www.rfc-editor.org/rfc/rfc${rfc[1]}${rfc[2] ? `#section-${rfc[2]}` : ""}`;
  const draft = /^(draft-[a-z0-9-]+)(?: §([\d.]+\d|\d+))?/.exec(text);
  if (draft) return `https://datatracker.ietf.org/doc/html/${draft[1]}${draft[2] ? `#section-${draft[2]}` : ""}`;
  return undefined;
}
