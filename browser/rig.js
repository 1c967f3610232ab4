// The real server, a real Chromium and a client that waits for the answer. No test speaks to anything else.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const here = dirname(fileURLToPath(import.meta.url));
export const binary = process.env.BROWSER_TEST_BINARY ?? join(here, "../target/debug/jeton");
/** What the binary is started with: none of the settings of whoever runs the tests. */
export const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("JETON_")));
const photographs = join(here, "screenshots");

/** A running world: issuer, browser and the client's own address. `close` ends all of it. */
export async function startWorld() {
  const server = await startServer(["dev", "--address", "127.0.0.1:0"]);
  const world = await startClient(server.issuer);
  return {
    ...world,
    close: async () => {
      await world.close();
      await server.stop();
    },
  };
}

/** The browser and the client of a server that already runs. */
export async function startClient(issuer) {
  const receiver = await startReceiver();
  const browser = await startBrowser();
  const close = async () => {
    await browser.close();
    await receiver.stop();
  };
  return { issuer, receiver, browser, close };
}

/** Starts the binary and waits for the line that names the issuer. */
export async function startServer(args, options = {}) {
  const child = spawn(binary, args, { stdio: ["ignore", "pipe", "pipe"], env: environment, ...options });
  let printed = "";
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const issuer = await new Promise((resolve, reject) => {
    const patience = setTimeout(() => reject(new Error(`the server did not start:\n${printed}`)), 30_000);
    const read = (chunk) => {
      printed += chunk;
      // The banner of `dev`, or the log line of `serve` in JSON.
      const found = /\bissuer(?:\s+|":")(https?:\/\/[^\s"]+)/.exec(printed);
      if (found) {
        clearTimeout(patience);
        resolve(found[1]);
      }
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}:\n${printed}`)));
  });
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
  };
  return { issuer, stop, printed: () => printed };
}

async function startBrowser() {
  return chromium.launch({
    executablePath: process.env.BROWSER_TEST_CHROMIUM ?? "/usr/bin/chromium",
    headless: process.env.BROWSER_TEST_SHOW !== "1",
    args: [
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

async function body(request) {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += chunk;
  return text;
}

/** The client's redirection URI: answers with a plain page and keeps what arrived, in the query or as a posted form. */
async function startReceiver() {
  const arrived = [];
  const waiting = [];
  const http = createServer(async (request, response) => {
    response.setHeader("content-type", "text/html; charset=utf-8");
    if (!request.url.startsWith("/callback")) {
      response.writeHead(404).end();
      return;
    }
    const answer = {
      ...Object.fromEntries(new URL(request.url, "http://client").searchParams),
      ...(request.method === "POST" ? { posted: Object.fromEntries(new URLSearchParams(await body(request))) } : {}),
      referer: request.headers.referer,
    };
    response.end("<!doctype html><html lang=en><title>client</title><h1>client</h1>");
    const next = waiting.shift();
    if (next) next(answer);
    else arrived.push(answer);
  });
  await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
  const uri = `http://127.0.0.1:${http.address().port}/callback`;
  return {
    uri,
    /** The next answer, in the order of arrival. */
    answer: () => {
      if (arrived.length > 0) return Promise.resolve(arrived.shift());
      return new Promise((resolve, reject) => {
        const patience = setTimeout(() => reject(new Error("no answer reached the client")), 10_000);
        waiting.push((answer) => {
          clearTimeout(patience);
          resolve(answer);
        });
      });
    },
    unread: () => arrived.length,
    stop: () =>
      new Promise((resolve) => {
        http.close(resolve);
        http.closeAllConnections();
      }),
  };
}

/**
 * A browser of its own (cookies, language, size), watched: `leave` fails when a page asked anything of another origin,
 * broke its content security policy, wrote an error to the console or threw.
 */
export async function enter(world, options = {}) {
  const context = await world.browser.newContext({ locale: "en-GB", ...options });
  context.setDefaultTimeout(10_000);
  const complaints = [];
  const allowed = new Set([new URL(world.issuer).origin, new URL(world.receiver.uri).origin]);
  context.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol !== "data:" && !allowed.has(url.origin)) complaints.push(`asked ${url.origin} for something`);
  });
  context.on("response", (response) => {
    if (response.status() >= 500) complaints.push(`${response.status()} from ${response.url()}`);
  });
  context.on("console", (message) => {
    const text = message.text();
    // A page that refuses is a page; the browser says so on its console.
    const refused = /^Failed to load resource: the server responded with a status of 4\d\d/.test(text);
    const client = message.location().url.startsWith(new URL(world.receiver.uri).origin);
    if (message.type() === "error" && !refused && !client) complaints.push(text);
  });
  context.on("weberror", (error) => complaints.push(String(error.error())));
  const leave = async () => {
    await context.close();
    assert.deepEqual(complaints, [], "the browser complained");
  };
  return { context, page: await context.newPage(), leave };
}

/** Runs `visit` in a browser of its own. */
export async function within(world, options, visit) {
  const { context, page, leave } = await enter(world, options);
  try {
    await visit(page, context);
  } catch (error) {
    await photograph(page, `failed-${Date.now()}`).catch(() => {});
    await context.close();
    throw error;
  }
  await leave();
}

/** What a client sends, and what it keeps to itself. Consent is asked for anew, so that no test depends on another. */
export function authorizationRequest(world, more = {}) {
  const verifier = randomBytes(32).toString("base64url");
  const state = randomBytes(8).toString("hex");
  const nonce = randomBytes(8).toString("hex");
  const url = new URL(`${world.issuer}/authorize`);
  const parameters = {
    response_type: "code",
    client_id: "demo-web",
    redirect_uri: world.receiver.uri,
    scope: "openid profile email offline_access",
    state,
    nonce,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
    prompt: "consent",
    ...more,
  };
  for (const [name, value] of Object.entries(parameters)) if (value) url.searchParams.set(name, value);
  return { url: url.href, verifier, state, nonce };
}

export async function signIn(page, { username = "alice", password = "alice" } = {}) {
  await page.fill("input[name=username]", username);
  await page.fill("input[name=password]", password);
  await page.click("button.sign-in");
}

export async function approve(page) {
  await page.click("button.approve");
}

/** A form posted to an endpoint as the client `demo-web`. */
export async function asClient(world, endpoint, form) {
  const secret = Buffer.from("demo-web:demo-web-secret").toString("base64");
  const reply = await fetch(`${world.issuer}${endpoint}`, {
    method: "POST",
    headers: { authorization: `Basic ${secret}` },
    body: new URLSearchParams(form),
  });
  const text = await reply.text();
  return { status: reply.status, body: text === "" ? undefined : JSON.parse(text) };
}

/** Photographs the whole page. */
export async function photograph(page, name) {
  mkdirSync(photographs, { recursive: true });
  await page.screenshot({ path: join(photographs, `${name}.png`), fullPage: true });
}

/**
 * Photographs the page and checks what every page owes its reader: a heading, a title, a language, a name for every field,
 * nothing to scroll sideways for; and nothing inline. SEC-405
 */
export async function looksRight(page, name) {
  const found = await page.evaluate(() => ({
    language: document.documentElement.lang,
    title: document.title,
    headings: document.querySelectorAll("h1").length,
    unnamed: [...document.querySelectorAll("input:not([type=hidden])")].filter((input) => input.labels.length === 0)
      .length,
    sideways: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    styled: [...document.styleSheets].length,
    inline: document.querySelectorAll("[style], style, [onclick], [onload], script:not([src])").length,
  }));
  await photograph(page, name);
  assert.ok(found.language && found.title, `${name} has a language and a title`);
  assert.equal(found.headings, 1, `${name} has one main heading`);
  assert.equal(found.unnamed, 0, `${name} names every field`);
  assert.ok(found.sideways <= 0, `${name} is ${found.sideways} px too wide`);
  assert.ok(found.styled > 0, `${name} has its style`);
  assert.equal(found.inline, 0, `${name} has nothing inline`);
  return found;
}
