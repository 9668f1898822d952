import { assertEquals, assertMatch } from "@std/assert";
import { Hono } from "hono";
import { ASSETS } from "./assets.ts";
import { mountPage } from "./page.tsx";

const app = new Hono();
mountPage(app);

Deno.test("the page has no inline script or style, and loads from its own origin only", async () => {
  const answer = await app.request("/");
  assertEquals(answer.headers.get("content-type"), "text/html; charset=UTF-8");
  const html = await answer.text();
  assertMatch(html, /^<!doctype html><html lang="en">/);
  assertEquals(html.match(/<script[^>]*>[^<]+|<style|\sstyle=|\son\w+=/g), null);
  const loaded = [...html.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, target]) => target);
  for (const target of loaded) {
    assertEquals((await app.request(target)).status, 200, target);
    assertMatch(target, /^\/assets\/[\w.]+$/);
  }
});

Deno.test("every asset is served with its type, and every import of a script is an asset", async () => {
  const types: Record<string, string> = {
    js: "text/javascript; charset=utf-8",
    css: "text/css; charset=utf-8",
    svg: "image/svg+xml",
  };
  for (const [name, { text }] of Object.entries(ASSETS)) {
    const answer = await app.request(`/assets/${name}`);
    assertEquals(answer.headers.get("content-type"), types[name.split(".")[1]], name);
    assertEquals(await answer.text(), text);
    for (const [, wanted] of text.matchAll(/ from "([^"]+)";/g)) {
      assertEquals(
        wanted.startsWith("./") && wanted.slice(2) in ASSETS,
        true,
        `${name}: ${wanted}`,
      );
    }
  }
});

Deno.test("no script writes HTML or evaluates text", () => {
  const dangerous =
    /\b(eval|Function)\s*\(|\.(innerHTML|outerHTML)\s*=[^=]|insertAdjacentHTML|document\.write|setHTML/;
  for (const [name, { text }] of Object.entries(ASSETS)) {
    assertEquals(text.match(dangerous)?.[0], undefined, name);
  }
});
