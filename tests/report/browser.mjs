// browser.mjs: a report in headless Chromium: it asks no network for anything, its plots are drawn, the viewer shows voxels, a case can
// be chosen and a table sorted by keyboard, it fits a phone and a wide screen with all its tables, and follows the reader's choice of dark.
// Then the page of a training, likewise, and that of predictions: a click, a key and a tap on a scan open the viewer. Last the page of a demo.
//
// Usage: node browser.mjs REPORT RUN_REPORT LABELS_REPORT DEMO_REPORT PLAYWRIGHT CHROMIUM [SCREENSHOTS]. With a folder for screenshots one of every view is kept there.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [report, run_report, labels_report, demo_report, playwright, chromium, screenshots] = process.argv.slice(2);
const engine = await import(pathToFileURL(join(playwright, "index.mjs")));
const profile = mkdtempSync(join(tmpdir(), "hardy-browser-"));
const context = await engine.chromium.launchPersistentContext(profile, {
	executablePath: chromium,
	headless: true,
	viewport: { width: 1200, height: 900 },
	hasTouch: true,
	args: [
		"--headless",
		"--no-sandbox",
		"--use-angle=swiftshader",
		"--enable-unsafe-swiftshader",
		"--disable-quic",
		"--no-first-run",
		"--disable-background-networking",
		"--disable-component-update",
		"--disable-sync",
	],
});
let n_checks = 0;
const check = (condition, message) => {
	assert.ok(condition, message);
	n_checks++;
};

const faults = [];
const page = await context.newPage();
page.setDefaultTimeout(120000);
page.on("request", (r) => {
	if (!/^(file|data|blob):/.test(r.url())) faults.push(`request to ${r.url()}`);
});
page.on("console", (m) => {
	if (m.type() === "error") faults.push(`console: ${m.text()}`);
});
page.on("pageerror", (e) => faults.push(`error: ${e.message}`));
const keep = async (name) => {
	if (screenshots) await page.screenshot({ path: join(screenshots, `${name}.png`) });
};
// Printing draws all plots. The script may not listen yet on a busy machine, so it is told again until they are there.
const draw_all = () =>
	page.waitForFunction(
		() => {
			if (!document.querySelector("figure.plot:not([data-drawn])")) return true;
			window.dispatchEvent(new Event("beforeprint"));
			return false;
		},
		null,
		{ polling: 2000 },
	);

// The share of the pixels of a canvas that are not black, the number of greys, and the number of coloured pixels. NiiVue's buffer is
// only there in the task that drew it, so the slice is set once more first.
const look = (id) =>
	page.evaluate((canvas_id) => {
		const slice = document.getElementById("viewer-slice");
		slice.dispatchEvent(new Event("input"));
		const from = document.getElementById(canvas_id);
		const to = document.createElement("canvas");
		to.width = from.width;
		to.height = from.height;
		const c = to.getContext("2d");
		c.drawImage(from, 0, 0);
		const d = c.getImageData(0, 0, to.width, to.height).data;
		const greys = new Set();
		let lit = 0;
		let coloured = 0;
		let sum = 0;
		for (let i = 0; i < d.length; i += 4) {
			lit += d[i] + d[i + 1] + d[i + 2] > 30;
			coloured += Math.max(d[i], d[i + 1], d[i + 2]) - Math.min(d[i], d[i + 1], d[i + 2]) > 40;
			sum = (sum * 31 + d[i] + 7 * d[i + 1] + 13 * d[i + 2]) % 1000003;
			greys.add(d[i]);
		}
		return { lit: lit / (d.length / 4), coloured, greys: greys.size, sum };
	}, id);

const luminance = (rgb) => {
	const [r, g, b] = rgb
		.match(/[\d.]+/g)
		.slice(0, 3)
		.map((v) => v / 255)
		.map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
	return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
// No table is wider than the page, and the page no wider than the screen, closed parts opened.
const fits = async (width) => {
	await page.setViewportSize({ width, height: 900 });
	await page.evaluate(() => {
		for (const d of document.querySelectorAll("main details")) d.open = true;
	});
	const wide = await page.evaluate(() =>
		[...document.querySelectorAll(".scroll")]
			.filter((s) => s.scrollWidth > s.clientWidth + 1)
			.map((s) => `${s.getAttribute("aria-label")}: ${s.scrollWidth} in ${s.clientWidth}`),
	);
	check(wide.length === 0, `wider than a page of ${width}: ${wide.join("; ")}`);
	check((await page.evaluate(() => document.documentElement.scrollWidth)) <= width, `the page is wider than ${width}`);
};

// The column of the first sortable table with two rows or more, by its second head: pressed twice by keyboard.
const sorts = async () => {
	const column = () =>
		page.evaluate(() => {
			const table = [...document.querySelectorAll("table.sortable")].find((t) => t.tBodies[0].rows.length > 1);
			table.tHead.rows[0].cells[1].querySelector("button").focus();
			return {
				values: [...table.tBodies[0].rows].map((r) => Number.parseFloat(r.cells[1].textContent)),
				order: table.tHead.rows[0].cells[1].getAttribute("aria-sort"),
			};
		});
	const before = await column();
	check(before.order === null, "a table claims to be sorted");
	await page.keyboard.press("Enter");
	const down = await column();
	check(down.order === "descending", "a table is not sorted by keyboard");
	check(down.values.every((v, i, all) => !i || all[i - 1] >= v), `not descending: ${down.values}`);
	await page.keyboard.press("Space");
	const up = await column();
	check(up.order === "ascending", "a table is not sorted the other way round");
	check(up.values.every((v, i, all) => !i || all[i - 1] <= v), `not ascending: ${up.values}`);
	check([...up.values].sort().join() === [...before.values].sort().join(), "sorting changed the values");
};

const contrasts = async () => {
	const colours = await page.evaluate(() => {
		const back = getComputedStyle(document.body).backgroundColor;
		const card = getComputedStyle(document.querySelector(".scroll, .card")).backgroundColor;
		const of = (s) => document.querySelector(s) && getComputedStyle(document.querySelector(s)).color;
		return [
			[of("body"), back],
			[of("header p"), back],
			[of("nav a"), card],
			[of("caption"), card],
			[of("td small"), getComputedStyle(document.querySelector("td.best") || document.body).backgroundColor],
			[of(".card figcaption"), card],
			[of(".card .warning"), card],
		].filter((pair) => pair[0]);
	});
	return colours.map(([a, b]) => {
		const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p);
		return (x + 0.05) / (y + 0.05);
	});
};

try {
	await page.emulateMedia({ colorScheme: "light" });
	await page.goto(pathToFileURL(report).href);

	// Plots
	await draw_all();
	const plots = await page.$$eval("figure.plot", (list) =>
		list.map((f) => ({
			marks: f.querySelectorAll("svg .mark-symbol path, svg .mark-line path").length,
			named: f.querySelector("svg")?.getAttribute("aria-label") === f.querySelector("figcaption").textContent,
		})),
	);
	check(plots.length >= 3, `only ${plots.length} plots`);
	for (const [i, p] of plots.entries()) {
		check(p.marks > 0, `plot ${i} has no marks`);
		check(p.named, `plot ${i} has no name for screen readers`);
	}
	await page.locator("figure.plot svg .mark-symbol path").nth(3).hover({ force: true });
	await page.waitForSelector("#vg-tooltip-element.visible");
	check(/case/.test(await page.textContent("#vg-tooltip-element")), "a point does not tell its case");
	await page.mouse.move(0, 0);
	await keep("plots");

	// Viewer
	await page.waitForFunction(() => document.getElementById("viewer").dataset.shown);
	await page.locator("#viewer").scrollIntoViewIfNeeded();
	const truth = await look("viewer-truth");
	const prediction = await look("viewer-prediction");
	check(truth.lit > 0.2, `the scan is black: ${JSON.stringify(truth)}`);
	check(truth.greys > 20, `the scan has ${truth.greys} greys`);
	check(truth.coloured > 50, "no label is drawn on the scan");
	check(prediction.lit > 0.2, "the scan is black beside the prediction");
	await keep("viewer");
	const first = await page.evaluate(() => document.getElementById("viewer").dataset.shown);
	await page.focus("#viewer-case");
	await page.keyboard.press("ArrowDown");
	await page.waitForFunction((before) => document.getElementById("viewer").dataset.shown !== before, first);
	check((await look("viewer-truth")).sum !== truth.sum, "another case looks the same");
	const before = await page.inputValue("#viewer-slice");
	await page.focus("#viewer-truth");
	await page.keyboard.press(before === "1" ? "ArrowUp" : "ArrowDown");
	check((await page.inputValue("#viewer-slice")) !== before, "arrow keys do not change the slice");
	await page.fill("#viewer-opacity", "0");
	check((await look("viewer-truth")).coloured < 50, "labels stay at opacity 0");
	const rows = await page.locator("#viewer-scores tr").count();
	check(rows === (await page.locator("#viewer-method option").count()) && rows > 1, "the table of scores has not a row a prediction");
	await page.focus("#viewer-method");
	await page.keyboard.press("ArrowUp");
	await page.waitForFunction(() => document.getElementById("viewer").getAttribute("aria-busy") === "false");
	check(
		(await page.textContent("#viewer-prediction-title")) === (await page.$eval("#viewer-method", (s) => s.selectedOptions[0].text)),
		"the picture is not called like the prediction",
	);

	// Landmarks, names and headers
	const names = await page.evaluate(() => ({
		h1: document.querySelectorAll("h1").length,
		main: document.querySelectorAll("main").length,
		nav: document.querySelectorAll("nav[aria-label]").length,
		tables: document.querySelectorAll("main table").length,
		captions: document.querySelectorAll("main table > caption").length,
		scopes: document.querySelectorAll("main th:not([scope])").length,
		alts: document.querySelectorAll("img:not([alt])").length,
		unnamed: [...document.querySelectorAll("select, input")].filter((e) => !e.labels.length).length,
		levels: [...document.querySelectorAll("h1, h2, h3")].map((h) => Number(h.tagName[1])),
		doubled: [...document.querySelectorAll("[id]")].map((e) => e.id).filter((id, i, all) => all.indexOf(id) !== i),
	}));
	check(names.h1 === 1 && names.main === 1 && names.nav === 1, "landmarks");
	check(names.tables > 3 && names.tables === names.captions, "a table lacks its caption");
	check(names.scopes === 0, "a table head lacks its scope");
	check(names.alts === 0, "a picture lacks its text");
	check(names.unnamed === 0, "a control lacks its label");
	check(names.levels.every((v, i, all) => !i || v - all[i - 1] <= 1), "a level of headings is left out");
	check(names.doubled.length === 0, `an id is there twice: ${names.doubled}`);
	await page.reload();
	await page.keyboard.press("Tab");
	check((await page.evaluate(() => document.activeElement.className)) === "skip", "the first stop is not the skip link");

	// Light and dark
	for (const ratio of await contrasts()) check(ratio >= 4.5, `contrast of ${ratio.toFixed(2)} in light mode`);
	await draw_all();
	await page.emulateMedia({ colorScheme: "dark" });
	check(luminance(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)) < 0.05, "dark mode is not dark");
	for (const ratio of await contrasts()) check(ratio >= 4.5, `contrast of ${ratio.toFixed(2)} in dark mode`);
	await page.waitForFunction(() => {
		const text = document.querySelector("figure.plot svg .role-axis-label text");
		const rgb = text && getComputedStyle(text).fill.match(/\d+/g).map(Number);
		return rgb && rgb[0] + rgb[1] + rgb[2] > 450;
	});
	await keep("dark");

	// A phone
	await page.setViewportSize({ width: 360, height: 740 });
	await page.reload();
	await draw_all();
	await page.waitForFunction(() => document.getElementById("viewer").dataset.shown);
	check((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360, "the page is wider than a phone");
	await keep("phone");

	// Phone and wide screen
	await fits(390);
	await page.emulateMedia({ colorScheme: "light" });
	await fits(1400);
	await sorts();

	// A training
	await page.goto(pathToFileURL(run_report).href);
	await fits(1400);
	await keep("run");
	await sorts();
	const pictures = await page.$$eval(".card img", (list) => list.map((i) => i.complete && i.naturalWidth > 0 && i.alt !== ""));
	check(pictures.length > 0 && pictures.every((p) => p), "a picture of a validation scan is not shown");
	check((await page.locator("figure.curves svg path").count()) > 3, "no learning curves");
	for (const ratio of await contrasts()) check(ratio >= 4.5, `contrast of ${ratio.toFixed(2)} of a training`);
	await page.emulateMedia({ colorScheme: "dark" });
	for (const ratio of await contrasts()) check(ratio >= 4.5, `contrast of ${ratio.toFixed(2)} of a training in dark mode`);
	await fits(390);
	await keep("run-phone");

	// Predictions
	await page.emulateMedia({ colorScheme: "light" });
	await page.setViewportSize({ width: 1400, height: 900 });
	await page.goto(pathToFileURL(labels_report).href);
	const ready = () => page.waitForFunction(() => document.getElementById("viewer").dataset.shown);
	const shows = (id) => page.waitForFunction((want) => document.getElementById("viewer").dataset.shown === want, id);
	const in_sight = () =>
		page.waitForFunction(() => {
			const box = document.getElementById("viewer").getBoundingClientRect();
			return box.top < innerHeight && box.bottom > 0;
		});
	await ready();
	const cards = await page.$$eval(".sheet .look", (list) => list.map((b) => ({ id: b.dataset.openCase, off: b.disabled, alt: b.firstChild.alt })));
	for (const ratio of await contrasts()) check(ratio >= 4.5, `contrast of ${ratio.toFixed(2)} of predictions`);
	await page.emulateMedia({ colorScheme: "dark" });
	for (const ratio of await contrasts()) check(ratio >= 4.5, `contrast of ${ratio.toFixed(2)} of predictions in dark mode`);
	await page.emulateMedia({ colorScheme: "light" });
	check(cards.length > 2 && cards.every((c) => !c.off && c.alt), "a scan of the contact sheet opens nothing");
	check((await page.locator("#viewer-case option").count()) === cards.length, "the list has not a line a card");
	await page.click(`[data-open-case="${cards[2].id}"]`);
	await shows(cards[2].id);
	await in_sight();
	check((await page.inputValue("#viewer-case")) === "2", "the list does not tell what is shown");
	const scan = await look("viewer-truth");
	const filled = await look("viewer-prediction");
	check(scan.lit > 0.2 && scan.greys > 20, `the scan is black: ${JSON.stringify(scan)}`);
	check(scan.coloured < 50, "labels lie on the scan alone");
	check(filled.coloured > 50, "no label is drawn on the prediction");
	await keep("labels");
	const mode = () => page.inputValue("#viewer-labels");
	await page.focus("#viewer-prediction");
	await page.keyboard.press("l");
	check((await mode()) === "borders", "L does not change how labels are drawn");
	const borders = await look("viewer-prediction");
	check(borders.coloured > 0 && borders.coloured < filled.coloured, `no borders: ${borders.coloured} of ${filled.coloured}`);
	await keep("labels-borders");
	await page.keyboard.press("l");
	check((await mode()) === "hidden" && (await look("viewer-prediction")).coloured < 50, "labels are not hidden");
	await page.keyboard.press("l");
	check((await look("viewer-prediction")).coloured === filled.coloured, "labels do not come back");
	await page.fill("#viewer-bright", "30");
	check((await look("viewer-truth")).sum !== scan.sum, "white at 30 percent looks the same");
	await page.fill("#viewer-bright", "100");
	check((await look("viewer-truth")).sum === scan.sum, "the window does not come back");
	const at = await page.inputValue("#viewer-slice");
	await page.focus("#viewer-truth");
	await page.keyboard.press(at === "1" ? "ArrowUp" : "ArrowDown");
	check((await page.inputValue("#viewer-slice")) !== at, "arrow keys do not change the slice of a scan");
	await page.focus(`[data-open-case="${cards[0].id}"]`);
	await page.keyboard.press("Enter");
	await shows(cards[0].id);
	check((await page.evaluate(() => document.activeElement.id)) === "viewer-case", "the viewer has not the focus");

	// The same on a phone, by touch
	await page.setViewportSize({ width: 390, height: 800 });
	await page.reload();
	await ready();
	check((await page.evaluate(() => document.documentElement.scrollWidth)) <= 390, "the page of predictions is wider than a phone");
	await page.locator(`[data-open-case="${cards[1].id}"]`).tap();
	await shows(cards[1].id);
	await in_sight();
	const slider = await page.locator("#viewer-slice").boundingBox();
	await page.locator("#viewer-slice").tap({ position: { x: slider.width - 2, y: slider.height / 2 } });
	check((await page.inputValue("#viewer-slice")) === (await page.getAttribute("#viewer-slice", "max")), "a tap does not move the slice");
	await page.locator("#viewer-prediction").scrollIntoViewIfNeeded();
	check((await look("viewer-prediction")).lit > 0.2, "the phone shows no scan");
	await keep("labels-phone");
	await page.emulateMedia({ colorScheme: "dark" });
	check(luminance(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)) < 0.05, "predictions stay light");

	// A demo
	await page.goto(pathToFileURL(demo_report).href);
	for (const ratio of await contrasts()) check(ratio >= 4.5, `contrast of ${ratio.toFixed(2)} of a demo in dark mode`);
	await fits(390);
	await keep("demo-phone");
	await page.emulateMedia({ colorScheme: "light" });
	for (const ratio of await contrasts()) check(ratio >= 4.5, `contrast of ${ratio.toFixed(2)} of a demo`);
	await fits(1400);
	await keep("demo");
	check((await page.locator("table tbody tr").count()) >= 3, "the demo has not a row a recipe");
	check(
		(await page.$$eval("img", (list) => list.length > 0 && list.every((i) => i.complete && i.naturalWidth > 0 && i.alt !== ""))),
		"a picture of the demo is not shown",
	);

	assert.deepEqual(faults, []);
	console.log(`browser: ${n_checks} checks of ${plots.length} plots and the viewer`);
} catch (e) {
	console.log(e.message);
	for (const f of faults) console.log(f);
	process.exitCode = 1;
} finally {
	await context.close();
	rmSync(profile, { recursive: true, force: true });
}
