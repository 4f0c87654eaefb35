// A browser for the tests, and pages for it: the built page with a run in it, as `tcpstack export` writes it.

import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const HERE = import.meta.dirname;
const EMPTY_DATA = '<script type="application/json" id="tcpstack-data">null</script>';

export const PAGE = join(HERE, "../dist/index.html");

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** Writes the page with this data in it, and returns its address. */
export function exported(data) {
  const html = readFileSync(PAGE, "utf8");
  const json = JSON.stringify(data).replaceAll("<", "\\u003c");
  const path = join(mkdtempSync(join(tmpdir(), "tcpstack-page-")), "page.html");
  writeFileSync(path, html.replace(EMPTY_DATA, () => EMPTY_DATA.replace("null", () => json)));
  return pathToFileURL(path).href;
}
