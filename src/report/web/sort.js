// sort.js: the heads of tables become buttons that sort their rows, the largest number or the first name on top, and the other way round
// when pressed again. What has no number stays at the end. Tables are whole without it.
(() => {
	const value = (row, column) => (row.cells[column]?.firstChild?.textContent ?? "").trim();
	const number = (text) => (/^[+-]?[\d.]/.test(text) ? Number.parseFloat(text) : Number.NaN);
	const sort = (table, heads, column) => {
		const rows = [...table.tBodies].flatMap((body) => [...body.rows]);
		const numbers = rows.every((row) => !/[^\s–]/.test(value(row, column)) || !Number.isNaN(number(value(row, column))));
		const before = heads[column].getAttribute("aria-sort");
		const order = (numbers ? before !== "descending" : before === "ascending") ? "descending" : "ascending";
		const sign = order === "ascending" ? 1 : -1;
		for (const head of heads) head.removeAttribute("aria-sort");
		heads[column].setAttribute("aria-sort", order);
		const compare = (a, b) => {
			const [x, y] = [value(a, column), value(b, column)];
			if (!numbers) return sign * x.localeCompare(y, undefined, { numeric: true });
			const [p, q] = [number(x), number(y)];
			if (Number.isNaN(p) || Number.isNaN(q)) return Number.isNaN(p) - Number.isNaN(q);
			return sign * (p - q);
		};
		for (const body of table.tBodies) body.append(...[...body.rows].sort(compare));
	};
	for (const table of document.querySelectorAll("table.sortable")) {
		const heads = [...table.tHead.rows[0].cells];
		for (const [column, head] of heads.entries()) {
			const button = document.createElement("button");
			button.type = "button";
			button.className = "sort";
			button.append(...head.childNodes);
			button.addEventListener("click", () => sort(table, heads, column));
			head.append(button);
		}
	}
})();
