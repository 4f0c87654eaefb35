import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type Plugin } from "vite";
import { viteSingleFile } from "vite-plugin-singlefile";

/** What an exported page carries its data in, and the one place where `tcpstack export` writes it. */
const EMPTY_DATA = '<script type="application/json" id="tcpstack-data">null</script>';

/** `npm run dev` shows a run from a file: TCPSTACK_RUN=run.json npm run dev. */
function fixture(): Plugin {
  return {
    name: "fixture",
    apply: "serve",
    transformIndexHtml(html) {
      const path = process.env.TCPSTACK_RUN;
      if (!path) return html;
      const runs = path.split(":").map((file) => JSON.parse(readFileSync(file, "utf8")));
      const data = JSON.stringify({ book: null, lessons: [], runs, selected: 0 }).replaceAll("<", "\\u003c");
      return html.replace(EMPTY_DATA, () => EMPTY_DATA.replace("null", () => data));
    },
  };
}

/** Only the page's own script may run: its hash goes into the policy, and nothing may be fetched from elsewhere. */
function policy(): Plugin {
  return {
    name: "policy",
    apply: "build",
    enforce: "post",
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        for (const file of Object.values(bundle)) {
          if (file.type !== "asset" || !file.fileName.endsWith(".html")) continue;
          const html = String(file.source);
          const script = /<script type="module"[^>]*>([\s\S]*?)<\/script>/.exec(html)?.[1];
          if (script === undefined) throw new Error("the page has no inline script");
          if (html.split(EMPTY_DATA).length !== 2) throw new Error("the page needs one place for its data");
          const hash = createHash("sha256").update(script).digest("base64");
          file.source = html.replace("'script-hash'", () => `'sha256-${hash}'`);
        }
      },
    },
  };
}

export default defineConfig({
  plugins: [svelte(), fixture(), viteSingleFile({ removeViteModuleLoader: true }), policy()],
  build: { target: "es2022", modulePreload: false },
});
