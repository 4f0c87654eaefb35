import { mount } from "svelte";

import App from "./App.svelte";
import { EmbeddedSource, embeddedData } from "./data/embedded.ts";
import "./theme.css";

const data = embeddedData();
mount(App, { target: document.getElementById("app")!, props: { source: data ? new EmbeddedSource(data) : null } });
