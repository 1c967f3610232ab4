// As in production: configured, over TLS, with a user and a client made on the command line. SEC-403

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createWebServer } from "node:https";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  approve,
  authorizationRequest,
  binary,
  environment,
  looksRight,
  signIn,
  startClient,
  startServer,
  within,
} from "../rig.js";

const password = "correct horse battery";
/** A disc on 40 by 40 pixels. */
const logo = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAACgAAAAoCAMAAAC7IEhfAAAABlBMVEXIPB7/8NypihuSAAAAOUlEQVR42u3SsQ0AAAQFUbf/0hILuEJDXP0qfsR3LirJegpOgpMgpYUg5Sk4f0f/Qj8KPzM/3G9dCTqVAQFWqAEWAAAAAElFTkSuQmCC",
  "base64",
);
let folder;
let images;
let server;
let world;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "jeton-browser-"));
  const port = await freePort();
  const options = { cwd: folder, env: environment, stdio: ["ignore", "pipe", "pipe"] };
  const run = (program, ...args) => execFileSync(program, args, options);
  const names = "subjectAltName=DNS:localhost";
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-keyout", "key.pem"];
  run("openssl", "req", "-x509", ...key, "-days", "2", "-subj", "/CN=localhost", "-addext", names, "-out", "cert.pem");
  writeFileSync(join(folder, "password"), password);
  images = await startImages(run);
  const imagesAt = `localhost:${images.address().port}`;
  writeFileSync(
    join(folder, "jeton.toml"),
    `issuer = "https://localhost:${port}"
[listen]
address = "127.0.0.1:${port}"
[listen.tls]
certificate = "cert.pem"
key = "key.pem"
[outbound]
allow = ["${imagesAt}"]
ca = ["images.pem"]
[log]
format = "json"
`,
  );
  run(binary, "user", "add", "alice", "--password-file", "password");
  const redirect = ["--application-type", "native", "--redirect-uri", "http://127.0.0.1/callback"];
  run(binary, "client", "add", "--id", "web", "--auth", "none", ...redirect);
  const shown = ["--name", "Orchard", "--logo-uri", `https://${imagesAt}/logo.png`];
  run(binary, "client", "add", "--id", "pictured", "--auth", "none", ...shown, ...redirect);
  server = await startServer(["serve"], { cwd: folder });
  world = await startClient(server.issuer);
});

after(async () => {
  await world?.close();
  await server?.stop();
  images?.close();
  if (folder) rmSync(folder, { recursive: true });
});

test("over https the whole way works and every cookie is __Host- and Secure", async () => {
  await within(world, { ignoreHTTPSErrors: true }, async (page, context) => {
    const request = authorizationRequest(world, { client_id: "web", scope: "openid profile" });
    const reply = await page.goto(request.url);
    assert.match(reply.headers()["strict-transport-security"], /max-age=\d{7,}/);
    await looksRight(page, "https-sign-in");
    assert.equal(await page.getByText(password).count(), 0, "no password is shown outside of development");
    await signIn(page, { username: "alice", password });
    await page.waitForSelector("button.approve");
    const cookies = await context.cookies();
    assert.ok(cookies.length >= 2);
    for (const cookie of cookies) {
      assert.ok(cookie.name.startsWith("__Host-"), cookie.name);
      assert.ok(cookie.secure && cookie.httpOnly && cookie.path === "/", cookie.name);
      assert.ok(["Lax", "Strict"].includes(cookie.sameSite), cookie.name);
    }
    await approve(page);
    const answer = await world.receiver.answer();
    assert.deepEqual([answer.state, answer.iss], [request.state, world.issuer]);
    assert.ok(answer.code);
  });
});

// P-102
test("sign-in and consent show the client's image, and load it from here", async () => {
  await within(world, { ignoreHTTPSErrors: true }, async (page) => {
    const request = authorizationRequest(world, { client_id: "pictured", scope: "openid profile email" });
    // The first page may come without it; no page waits.
    for (let tries = 0; tries < 50 && (await page.locator(".asker img").count()) === 0; tries += 1) {
      await page.goto(request.url);
    }
    await isDrawn(page);
    await looksRight(page, "sign-in-with-logo");
    await signIn(page, { username: "alice", password });
    await page.waitForSelector("button.approve");
    await isDrawn(page);
    await looksRight(page, "consent-with-logo");
    await approve(page);
    assert.equal((await world.receiver.answer()).state, request.state);
  });
});

async function isDrawn(page) {
  const image = page.locator(".asker img");
  await image.waitFor();
  const drawn = await image.evaluate((it) => it.decode().then(() => [it.naturalWidth, new URL(it.src).origin]));
  assert.deepEqual(drawn, [40, world.issuer]);
}

/** Somebody else's server with one image, under a certificate of its own. */
async function startImages(run) {
  const lines = ["[req]", "distinguished_name=n", "prompt=no", "x509_extensions=e", "[n]", "CN=localhost", "[e]"];
  lines.push("basicConstraints=critical,CA:FALSE", "subjectAltName=DNS:localhost", "");
  writeFileSync(join(folder, "images.conf"), lines.join("\n"));
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-keyout", "images.key"];
  run("openssl", "req", "-x509", "-config", "images.conf", ...key, "-days", "2", "-out", "images.pem");
  const [cert, secret] = ["images.pem", "images.key"].map((name) => readFileSync(join(folder, name)));
  const server = createWebServer({ cert, key: secret }, (request, response) => {
    response.writeHead(200, { "content-type": "image/png" }).end(logo);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

test("what only development has does not exist here", async () => {
  await within(world, { ignoreHTTPSErrors: true }, async (page) => {
    for (const path of ["/dev/trace", "/demo/api", "/metrics"]) {
      const reply = await page.request.get(`${world.issuer}${path}`);
      assert.equal(reply.status(), 404, path);
    }
    const refused = await page.goto(authorizationRequest(world, { client_id: "nobody" }).url);
    assert.equal(refused.status(), 400);
    await looksRight(page, "https-refused");
    assert.equal(await page.locator(".explained").count(), 0, "no page explains what was checked");
  });
});

test("the log names neither codes nor passwords nor cookies", async () => {
  const log = server.printed();
  assert.match(log, /"refused"/, "something was logged");
  assert.ok(!log.includes(password));
  assert.doesNotMatch(log, /jt[a-z]_[A-Za-z0-9_-]{20}/);
});

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
