// bundle.mjs: makes the one file of JavaScript that a report holds, gzipped. Usage: node bundle.mjs OUTPUT.
import { build } from "esbuild";
import { writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const result = await build({
	entryPoints: [join(dirname(fileURLToPath(import.meta.url)), "main.js")],
	bundle: true,
	minify: true,
	format: "iife",
	target: "es2022",
	write: false,
	legalComments: "eof",
	logLevel: "warning",
});
writeFileSync(process.argv[2], gzipSync(result.outputFiles[0].contents, { level: 9 }));
