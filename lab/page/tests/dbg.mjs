import { follow, launch, picture, press, visit } from "./browser.mjs";
import { writeFileSync } from "node:fs";
const url = process.env.TCPSTACK_LAB;
const b = await launch();
const page = await visit(b, url);
const link="#lesson=4&scenario=small-window&lang=en";
await follow(page, link+"&at=0");
const p0 = await picture(page);
const n = Number((await page.locator(".count").innerText()).split("/")[1]);
await press(page,"ArrowRight",n); await picture(page); await press(page,"ArrowLeft",n);
const p1 = await picture(page);
writeFileSync("/work/h/tmp-page/p0.html", p0.replaceAll("<","\n<")); writeFileSync("/work/h/tmp-page/p1.html", p1.replaceAll("<","\n<"));
console.log(n, p0===p1);
const lessons = await (await fetch(url.replace("/?","/api/lessons?"))).json();
for (const l of lessons) for (const s of l.scenarios) {
  const t=Date.now();
  try { await Promise.race([follow(page, `#lesson=${l.number}&scenario=${s.id}&lang=en&view=sequence&at=0`), new Promise((_,j)=>setTimeout(()=>j(new Error("slow")),8000))]); } catch (e) { console.log(l.number, s.id, String(e).slice(0,80), await page.evaluate(()=>[document.querySelector(".count")?.textContent, location.hash, document.querySelector(".notice")?.textContent])); }
  const m = await page.locator(".count").innerText();
  console.log(l.number, s.id, s.beside?.join(), m, Date.now()-t);
}
console.log(page.complaints);
await b.close();
