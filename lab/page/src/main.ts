import { mount } from "svelte";

import App from "./App.svelte";
import { EmbeddedSource, embeddedData } from "./data/embedded.ts";
import { ServerSource } from "./data/server.ts";
import type { Source } from "./data/source.ts";
import "./theme.css";

function sourceOf(): Source | null {
  const data = embeddedData();
  if (data) return new EmbeddedSource(data);
  const token = new URLSearchParams(location.search).get("token");
  return token ? new ServerSource(token) : null;
}

mount(App, { target: document.getElementById("app")!, props: { source: sourceOf() } });
