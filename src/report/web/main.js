// main.js: what moves in a report: draws the Vega-Lite plots and runs the case viewer. The page is whole without it: tables and
// pictures are plain HTML, and what this adds replaces a line that says so.
import embed from "vega-embed";
import { Niivue, NVImage, SLICE_TYPE } from "@niivue/niivue";

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const $ = (id) => document.getElementById(id);
const data = (id) => ($(id) ? JSON.parse($(id).textContent) : null);

// ---- plots

function theme() {
	const style = getComputedStyle(document.documentElement);
	const colour = (name) => style.getPropertyValue(name).trim();
	const text = colour("--text");
	const line = colour("--line");
	return {
		background: "transparent",
		font: style.fontFamily,
		axis: { labelColor: text, titleColor: text, gridColor: line, domainColor: line, tickColor: line, labelLimit: 220 },
		legend: { labelColor: text, titleColor: text, orient: "top", labelLimit: 260, columns: window.innerWidth < 600 ? 2 : 4 },
		header: { labelColor: text, titleColor: text },
		title: { color: text },
		text: { color: text },
		boxplot: { median: { color: text, strokeWidth: 2 }, rule: { color: colour("--soft") } },
		view: { stroke: "transparent" },
	};
}

// A plot is a figure with data-spec, the id of its specification; data-name adds the file name of what a reader saves.
async function draw(figure) {
	const target = figure.querySelector(".canvas");
	const result = await embed(target, data(figure.dataset.spec), {
		renderer: "svg",
		config: theme(),
		actions: { export: true, source: false, compiled: false, editor: false },
		downloadFileName: figure.dataset.spec,
		tooltip: { theme: dark.matches ? "dark" : "light" },
	});
	const svg = target.querySelector("svg");
	if (svg) {
		svg.setAttribute("role", "img");
		svg.setAttribute("aria-label", figure.querySelector("figcaption").textContent);
	}
	const summary = target.querySelector("summary");
	if (summary) summary.setAttribute("aria-label", "Save this plot");
	figure.dataset.drawn = "yes";
	return result;
}

// One plot after the other, those in sight first, so that a long page answers at once.
const queue = [];
let busy = false;
async function work() {
	if (busy) return;
	busy = true;
	while (queue.length) {
		const figure = queue.shift();
		try {
			await draw(figure);
		} catch (e) {
			figure.querySelector(".canvas").textContent = `This plot cannot be drawn: ${e.message}`;
			console.error(e);
		}
	}
	busy = false;
}

function start_plots() {
	const seen = new IntersectionObserver(
		(entries) => {
			for (const e of entries) {
				if (!e.isIntersecting) continue;
				seen.unobserve(e.target);
				queue.push(e.target);
			}
			work();
		},
		{ rootMargin: "600px" },
	);
	for (const figure of document.querySelectorAll("figure.plot")) seen.observe(figure);
	const all = () => {
		for (const figure of document.querySelectorAll("figure.plot:not([data-drawn])")) {
			seen.unobserve(figure);
			queue.push(figure);
		}
		work();
	};
	window.addEventListener("beforeprint", all);
	dark.addEventListener("change", () => {
		for (const figure of document.querySelectorAll("figure.plot[data-drawn]")) queue.push(figure);
		work();
	});
}

// ---- viewer

function panel(canvas) {
	const nv = new Niivue({
		backColor: [0, 0, 0, 1],
		crosshairWidth: 0,
		dragAndDropEnabled: false,
		isOrientationTextVisible: false,
		isColorbar: false,
		loadingText: "",
		logLevel: "error",
		isNearestInterpolation: false,
		scrollRequiresFocus: true,
		viewModeHotKey: "",
		clipPlaneHotKey: "",
		cycleClipPlaneHotKey: "",
	});
	nv.setSliceType(SLICE_TYPE.AXIAL);
	return nv.attachToCanvas(canvas).then(() => {
		nv.setSliceType(SLICE_TYPE.AXIAL);
		return nv;
	});
}

// What is left of slices of labels when the inside of each is taken out: pixels with another value beside them, or at a corner.
function borders_of(label, nx, ny) {
	const out = label.slice();
	for (let i = 0; i < label.length; i++) {
		const x = i % nx;
		const y = Math.floor(i / nx) % ny;
		const inside =
			x > 0 && x < nx - 1 && y > 0 && y < ny - 1 &&
			[-nx - 1, -nx, -nx + 1, -1, 1, nx - 1, nx, nx + 1].every((d) => label[i + d] === label[i]);
		if (inside) out[i] = 0;
	}
	return out;
}

async function start_viewer() {
	const root = $("viewer");
	const cases = data("cases");
	if (!root || !cases || !cases.cases.length) return;
	const controls = root.querySelector(".controls");
	const select = $("viewer-case");
	const method = $("viewer-method");
	const slice = $("viewer-slice");
	const labels = $("viewer-labels");
	const opacity = $("viewer-opacity");
	const dark_end = $("viewer-dark");
	const bright_end = $("viewer-bright");
	const scores = $("viewer-scores");
	let panels;
	try {
		panels = await Promise.all([panel($("viewer-truth")), panel($("viewer-prediction"))]);
	} catch (e) {
		$("viewer-note").textContent = `This browser cannot show the volumes (WebGL 2 is missing: ${e.message}).`;
		return;
	}
	const lut = { R: [0], G: [0], B: [0], A: [0], I: [0], labels: ["background"] };
	for (const [i, c] of cases.classes.entries()) {
		lut.R.push(c.rgb[0]);
		lut.G.push(c.rgb[1]);
		lut.B.push(c.rgb[2]);
		lut.A.push(255);
		lut.I.push(c.value ?? i + 1);
		lut.labels.push(c.name);
	}
	const load = (base64, name, extra) => NVImage.loadFromBase64({ base64, name, ...extra });

	let current = null;
	// A page of predictions has one a scan, and nothing to score it by.
	const chosen = () => current.predictions.find((p) => !method || p.name === method.value);
	const dress = () => {
		const share = labels.value === "hidden" ? 0 : labels.value === "borders" ? 1 : Number(opacity.value) / 100;
		for (const nv of panels) {
			const v = nv.volumes[1];
			if (!v) continue;
			v.img.set(labels.value === "borders" ? v.borders : v.whole);
			nv.setOpacity(1, share);
			nv.updateGLVolume();
		}
	};
	// Grey values are bytes; the sliders are percent of them.
	const light = () => {
		const low = Math.min(Number(dark_end.value), 99);
		const high = Math.max(Number(bright_end.value), low + 1);
		for (const nv of panels) {
			if (!nv.volumes.length) continue;
			nv.volumes[0].cal_min = 2.55 * low;
			nv.volumes[0].cal_max = 2.55 * high;
			nv.updateGLVolume();
		}
	};
	const place = () => {
		const n = current.slices;
		const z = Number(slice.value);
		slice.setAttribute("aria-valuetext", `slice ${z} of ${n}`);
		$("viewer-slice-text").textContent = `${z} of ${n}`;
		for (const nv of panels) {
			nv.scene.crosshairPos = [0.5, 0.5, (z - 0.5) / n];
			nv.drawScene();
		}
	};
	const overlay = async (nv, base64, name) => {
		while (nv.volumes.length > 1) nv.removeVolume(nv.volumes[1]);
		if (!base64) return;
		const v = await load(base64, `${name}.nii.gz`, { opacity: Number(opacity.value) / 100 });
		v.setColormapLabel(lut);
		v.whole = v.img.slice();
		v.borders = borders_of(v.whole, v.hdr.dims[1], v.hdr.dims[2]);
		nv.addVolume(v);
	};
	const number = (v) => (typeof v === "number" ? v.toFixed(3) : "–");
	const put = (row, name, v) => {
		const cell = row.insertCell();
		cell.dataset.head = name;
		cell.textContent = number(v);
	};
	const tell = () => {
		scores?.replaceChildren();
		for (const p of scores ? current.predictions : []) {
			const row = scores.insertRow();
			if (p === chosen()) row.setAttribute("aria-current", "true");
			const head = document.createElement("th");
			head.scope = "row";
			head.textContent = p.title;
			row.append(head);
			for (const c of cases.classes) put(row, c.name, p.dice[c.name]);
			put(row, "Mean", p.mean);
		}
		const p = chosen();
		$("viewer-prediction-title").textContent = p ? p.title : "no prediction";
		$("viewer-say").textContent = `${current.title}. ${p && scores ? `${p.title}: Dice ${number(p.mean)}` : ""}`;
	};
	// What is asked for while a volume is being loaded is done afterwards, the last wish only.
	let wish = null;
	let running = false;
	const run = async (f) => {
		wish = f;
		if (running) return;
		running = true;
		root.setAttribute("aria-busy", "true");
		while (wish) {
			const next = wish;
			wish = null;
			try {
				await next();
			} catch (e) {
				$("viewer-note").textContent = `This case cannot be shown: ${e.message}`;
				console.error(e);
			}
		}
		running = false;
		root.setAttribute("aria-busy", "false");
		root.dataset.shown = current ? current.id : "";
	};
	const show_method = async () => {
		await overlay(panels[1], chosen()?.volume, "prediction");
		dress();
		tell();
		place();
	};
	const show_case = async () => {
		current = cases.cases[Number(select.value)];
		const before = method?.value;
		method?.replaceChildren(...current.predictions.map((p) => new Option(p.title, p.name)));
		if (method && current.predictions.some((p) => p.name === before)) method.value = before;
		else if (method && current.predictions.length > 1) method.selectedIndex = 1; // FTN+STN of the first method
		slice.max = current.slices;
		slice.value = Math.min(current.start || Math.ceil(current.slices / 2), current.slices);
		for (const nv of panels) {
			while (nv.volumes.length) nv.removeVolume(nv.volumes[0]);
			nv.addVolume(await load(current.image, "image.nii.gz", { colormap: "gray", opacity: 1 }));
			nv.setSliceType(SLICE_TYPE.AXIAL);
		}
		await overlay(panels[0], current.truth, "truth");
		light();
		await show_method();
	};
	select.addEventListener("change", () => run(show_case));
	method?.addEventListener("change", () => run(show_method));
	slice.addEventListener("input", place);
	opacity.addEventListener("input", dress);
	labels.addEventListener("change", dress);
	for (const end of [dark_end, bright_end]) end.addEventListener("input", light);
	// A click or the wheel inside a picture moves the slice there; both pictures and the slider follow.
	for (const nv of panels)
		nv.onLocationChange = (at) => {
			const z = at.vox[2] + 1;
			if (current && z !== Number(slice.value) && z >= 1 && z <= current.slices) {
				slice.value = z;
				place();
			}
		};
	for (const canvas of root.querySelectorAll("canvas"))
		canvas.addEventListener("keydown", (e) => {
			if (e.key === "l" || e.key === "L") {
				labels.selectedIndex = (labels.selectedIndex + 1) % labels.options.length;
				dress();
				return;
			}
			const step = { ArrowUp: 1, ArrowRight: 1, PageUp: 1, ArrowDown: -1, ArrowLeft: -1, PageDown: -1 }[e.key];
			if (!step || !current) return;
			e.preventDefault();
			e.stopImmediatePropagation();
			slice.value = Number(slice.value) + step;
			place();
		});
	for (const button of document.querySelectorAll("[data-open-case]")) {
		button.hidden = false;
		button.disabled = false;
		button.addEventListener("click", () => {
			const i = cases.cases.findIndex((c) => c.id === button.dataset.openCase);
			if (i < 0) return;
			select.value = String(i);
			root.scrollIntoView();
			select.focus({ preventScroll: true });
			run(show_case);
		});
	}
	controls.hidden = false;
	root.querySelector(".panels").hidden = false;
	$("viewer-note").remove();
	await run(show_case);
}

// ---- start

start_plots();
start_viewer();
