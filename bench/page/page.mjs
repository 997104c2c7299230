// Looks at the page of `lora2 serve` in headless Chromium: bars, tokens, neighbours, light and dark, nothing loaded from elsewhere. Called by page.sh with the server's address and a folder for pictures.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const [address, pictures, key] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
try {
  for (const colorScheme of ["light", "dark"]) {
    const page = await browser.newPage({ colorScheme, viewport: { width: 900, height: 1100 } });
    const wrong = [], asked = [];
    page.on("pageerror", e => wrong.push(e.message));
    page.on("console", line => { if (line.type() === "error" && !line.text().includes("401")) wrong.push(line.text()); });
    page.on("request", request => asked.push(request.url()));
    await page.goto(address + "/");
    // The server wants its key before it says anything.
    await page.waitForSelector("#key-field:not([hidden])");
    assert.match(await page.textContent("#error"), /wants a key/);
    await page.fill("#key", key);
    await page.dispatchEvent("#key", "change");
    await page.waitForFunction(() => document.querySelectorAll("#adapter option").length === 2);
    assert.equal(await page.textContent("#error"), "");

    await page.selectOption("#adapter", "tickets");
    await page.fill("#text", "The courier never brought my package.");
    await page.waitForSelector("#bars .bar");
    const bars = await page.$$eval("#bars .bar", rows => rows.map(row => [row.children[0].textContent, Number(row.children[2].textContent)]));
    assert.equal(bars.length, 8);
    assert.ok(Math.abs(bars.reduce((sum, [, score]) => sum + score, 0) - 1) < 0.01, "probabilities");
    assert.ok(bars.every(([, score], i) => i === 0 || score <= bars[i - 1][1]), "the likeliest first");
    await page.waitForSelector("#pieces span");
    const pieces = await page.$$eval("#pieces span", spans => spans.map(span => span.textContent));
    assert.deepEqual(pieces, ["[CLS]", "The", "courier", "never", "brought", "my", "package", ".", "[SEP]"]);
    await page.screenshot({ path: `${pictures}/labels-${colorScheme}.png`, fullPage: true });

    await page.selectOption("#adapter", { index: 0 });
    await page.waitForSelector("#near .bar");
    const near = await page.$$eval("#near .bar", rows => rows.map(row => [row.children[0].textContent, Number(row.children[2].textContent)]));
    assert.equal(near[0][0], "My parcel never arrived.");
    assert.ok(await page.isHidden("#labels"));
    await page.screenshot({ path: `${pictures}/neighbours-${colorScheme}.png`, fullPage: true });

    await page.setViewportSize({ width: 360, height: 740 });
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), "no sideways scrolling on a telephone");
    await page.screenshot({ path: `${pictures}/narrow-${colorScheme}.png`, fullPage: true });
    assert.deepEqual(wrong, []);
    assert.ok(asked.every(url => url.startsWith(address) || url.startsWith("data:")), "only the server is asked");
    await page.close();
  }

  console.log("the page has bars, tokens and neighbours, in light and dark; pictures are in " + pictures);
} finally {
  await browser.close();
}
