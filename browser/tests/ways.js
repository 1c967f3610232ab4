// The same pages for people who come another way: by keyboard, without scripts, in French, on a phone, in two tabs, with
// second thoughts. S11, S22

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { approve, asClient, authorizationRequest, looksRight, signIn, startWorld, within } from "../rig.js";

let world;
before(async () => (world = await startWorld()));
after(() => world?.close());

/** Presses Tab until the focus is on `selector`; every stop on the way must be visible as one. */
async function tabTo(page, selector) {
  for (let presses = 0; presses < 40; presses += 1) {
    await page.keyboard.press("Tab");
    const focus = await page.evaluate((wanted) => {
      const element = document.activeElement;
      const style = getComputedStyle(element);
      const shown = style.outlineStyle !== "none" || style.boxShadow !== "none" || element === document.body;
      return { there: element.matches(wanted), shown, what: element.outerHTML.slice(0, 80) };
    }, selector);
    assert.ok(focus.shown, `the focus cannot be seen on ${focus.what}`);
    if (focus.there) return;
  }
  assert.fail(`${selector} cannot be reached with Tab`);
}

test("the keyboard alone is enough", async () => {
  await within(world, {}, async (page) => {
    const request = authorizationRequest(world);
    await page.goto(request.url);
    await page.waitForSelector("input[name=username]:focus");
    await page.keyboard.type("alice");
    await page.keyboard.press("Tab");
    await page.keyboard.type("alice");
    await page.keyboard.press("Enter");
    await page.waitForSelector("button.approve");
    await tabTo(page, "button.approve");
    await page.keyboard.press("Enter");
    const answer = await world.receiver.answer();
    assert.equal(answer.state, request.state);
    assert.ok(answer.code);
  });
});

test("a key held down approves nothing", async () => {
  await within(world, {}, async (page) => {
    await page.goto(authorizationRequest(world).url);
    await signIn(page);
    await page.waitForSelector("button.approve");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Space");
    await page.waitForTimeout(300);
    assert.equal(world.receiver.unread(), 0);
  });
});

test("no script is needed", async () => {
  await within(world, { javaScriptEnabled: false }, async (page) => {
    const request = authorizationRequest(world);
    await page.goto(request.url);
    await signIn(page);
    await approve(page);
    const answer = await world.receiver.answer();
    assert.equal(answer.state, request.state);
    assert.ok(answer.code);
    await page.goto(`${world.issuer}/dev/trace`);
    assert.ok((await page.locator(".step").count()) > 2);
    assert.equal(await page.locator(".refresh a").count(), 1, "there is a link that refreshes");
  });
});

test("a denial is told to the client as access_denied", async () => {
  for (const [button, before] of [
    ["button.deny", signIn],
    ["button.cancel", async () => {}],
  ]) {
    await within(world, {}, async (page) => {
      const request = authorizationRequest(world);
      await page.goto(request.url);
      await before(page);
      await page.click(button);
      const answer = await world.receiver.answer();
      assert.deepEqual([answer.error, answer.state, answer.iss], ["access_denied", request.state, world.issuer]);
      assert.equal(answer.code, undefined);
    });
  }
});

test("a wrong password says so, keeps the name and tells nothing else", async () => {
  await within(world, {}, async (page) => {
    await page.goto(authorizationRequest(world).url);
    await signIn(page, { username: "alice", password: "not this" });
    await looksRight(page, "wrong-password");
    assert.equal(await page.inputValue("input[name=username]"), "alice");
    assert.equal(await page.inputValue("input[name=password]"), "");
    assert.match(await page.title(), /^\S+: /, "the title says that something is wrong");
    const said = await page.textContent("[role=alert]");
    const focus = await page.evaluate(() => document.activeElement.getAttribute("name"));
    assert.equal(focus, "password");

    await page.goto(authorizationRequest(world).url);
    await signIn(page, { username: "nobody-of-this-name", password: "not this" });
    assert.equal(await page.textContent("[role=alert]"), said, "an unknown name answers the same");

    await signIn(page);
    await approve(page);
    assert.ok((await world.receiver.answer()).code, "the right password still works");
  });
});

test("a scope that was dropped on the page is not granted", async () => {
  await within(world, {}, async (page) => {
    const request = authorizationRequest(world);
    await page.goto(request.url);
    await signIn(page);
    await page.uncheck("input[name='scope.email']");
    await approve(page);
    const tokens = await asClient(world, "/token", {
      grant_type: "authorization_code",
      code: (await world.receiver.answer()).code,
      redirect_uri: world.receiver.uri,
      code_verifier: request.verifier,
    });
    assert.equal(tokens.status, 200);
    const granted = tokens.body.scope.split(" ");
    assert.ok(granted.includes("profile") && !granted.includes("email"), tokens.body.scope);
  });
});

test("somebody else can sign in from the consent page", async () => {
  await within(world, {}, async (page) => {
    await page.goto(authorizationRequest(world).url);
    await signIn(page);
    await page.click("button.switch-user");
    await signIn(page, { username: "bob", password: "bob" });
    assert.match(await page.textContent(".who"), /bob/);
    await approve(page);
    assert.ok((await world.receiver.answer()).code);
  });
});

test("the pages speak French where the browser does", async () => {
  await within(world, { locale: "fr-FR" }, async (page) => {
    await page.goto(authorizationRequest(world).url);
    assert.equal((await looksRight(page, "sign-in-french")).language, "fr");
    assert.match(await page.textContent("h1"), /conne[cx]/i);
    await signIn(page, { username: "alice", password: "faux" });
    await looksRight(page, "wrong-password-french");
    await signIn(page);
    assert.equal((await looksRight(page, "consent-french")).language, "fr");
  });
});

test("the dark look is dark, and the text stays readable in both", async () => {
  for (const colorScheme of ["light", "dark"]) {
    await within(world, { colorScheme }, async (page) => {
      await page.goto(authorizationRequest(world).url);
      const shades = await page.evaluate(() => {
        const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
        const luminance = (color) => {
          canvas.fillStyle = color;
          canvas.fillRect(0, 0, 1, 1);
          const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data]
            .map((part) => part / 255)
            .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const background = (element) => {
          for (let at = element; at; at = at.parentElement) {
            const color = getComputedStyle(at).backgroundColor;
            if (color !== "transparent" && !color.endsWith(", 0)") && !color.endsWith("/ 0)")) return luminance(color);
          }
          return 1;
        };
        const contrast = (element) => {
          const [a, b] = [luminance(getComputedStyle(element).color), background(element)];
          return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        };
        const texts = [...document.querySelectorAll("h1, p, label, button, dt, dd, a, code, span")];
        const read = texts.filter((element) => element.textContent.trim() && element.checkVisibility());
        return {
          page: luminance(getComputedStyle(document.body).backgroundColor),
          faint: read.filter((element) => contrast(element) < 4.5).map((element) => element.outerHTML.slice(0, 80)),
        };
      });
      assert.ok(colorScheme === "dark" ? shades.page < 0.1 : shades.page > 0.7, `${colorScheme}: ${shades.page}`);
      assert.deepEqual(shades.faint, [], `${colorScheme}: contrast below 4.5 to 1`);
    });
  }
});

test("a finger finds its buttons on a phone", async () => {
  const phone = { viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };
  await within(world, phone, async (page) => {
    await page.goto(authorizationRequest(world).url);
    await looksRight(page, "sign-in-small");
    await signIn(page);
    await looksRight(page, "consent-small");
    for (const button of ["button.approve", "button.deny"]) {
      const box = await page.locator(button).boundingBox();
      assert.ok(box.height >= 44 && box.width >= 44, `${button} is ${box.width} by ${box.height}`);
    }
    await page.tap("button.approve");
    assert.ok((await world.receiver.answer()).code);
  });
});

test("two tabs each end where they began", async () => {
  await within(world, {}, async (first, context) => {
    const second = await context.newPage();
    const [one, two] = [authorizationRequest(world), authorizationRequest(world)];
    await first.goto(one.url);
    await second.goto(two.url);
    await signIn(first);
    await signIn(second);
    await approve(second);
    assert.equal((await world.receiver.answer()).state, two.state);
    await approve(first);
    const answer = await world.receiver.answer();
    assert.equal(answer.state, one.state);
    assert.ok(answer.code);
  });
});

test("the back button never yields a second code", async () => {
  await within(world, {}, async (page) => {
    await page.goto(authorizationRequest(world).url);
    await signIn(page);
    await approve(page);
    assert.ok((await world.receiver.answer()).code);
    await page.waitForURL(`${world.receiver.uri}?*`);
    await page.goBack();
    await looksRight(page, "back-after-the-end");
    if (await page.locator("button.approve").isVisible()) await approve(page);
    await page.waitForTimeout(300);
    if (world.receiver.unread() > 0) {
      const answer = await world.receiver.answer();
      assert.equal(answer.code, undefined, "a finished interaction gives no second code");
    }
    const again = authorizationRequest(world);
    await page.goto(again.url);
    await approve(page);
    assert.equal((await world.receiver.answer()).state, again.state);
  });
});

test("a form sent twice gives one code", async () => {
  await within(world, {}, async (page) => {
    const request = authorizationRequest(world);
    await page.goto(request.url);
    await signIn(page);
    await page.waitForSelector("button.approve");
    await page.dblclick("button.approve");
    const answer = await world.receiver.answer();
    assert.ok(answer.code);
    await page.waitForTimeout(300);
    const codes = new Set([answer.code]);
    while (world.receiver.unread() > 0) {
      const more = await world.receiver.answer();
      if (more.code) codes.add(more.code);
    }
    assert.equal(codes.size, 1);
  });
});
