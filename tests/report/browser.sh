#!/bin/sh
# browser.sh: makes a tiny experiment, training and demo on the phantom, their reports and that of predictions, and looks at those with browser.mjs. Skips where
# there is no Chromium, no node, or no JavaScript in the program.
set -u
skip() {
	echo "$*"
	exit 77
}
playwright=$HARDY_SOURCE/.web/node_modules/playwright-core
chromium=$(command -v chromium) || skip "chromium is not installed"
command -v node >/dev/null 2>&1 || skip "node is not installed"
[ -e "$playwright/index.mjs" ] || skip "playwright-core is not there: script/web brings it, where npm is installed"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
hardy=$HARDY_PROGRAM
"$hardy" phantom data --sites 2 --subjects 5 --size 64 >log 2>&1 &&
	"$hardy" experiment cooperative-vs-standard data/siteA data/siteB -o study --seeds 1 --copies 1 --set size=32 --set spacing_mm=5 \
		--set iterations=6 --set batch=4 --set subjects=3 --set validation=1 >>log 2>&1 &&
	"$hardy" report study --cases 2 >>log 2>&1 &&
	"$hardy" train data/siteA -o run --size 32 --spacing 5 --iterations 6 --batch 4 --subjects 3 --validation 2 --calibrate off >>log 2>&1 &&
	"$hardy" report run >>log 2>&1 &&
	"$hardy" predict run data/siteB -o labels --report >>log 2>&1 &&
	"$hardy" demo demo --sites 2 --subjects 3 --train 1 --iterations 2 --size 32 --spacing 6 --batch 4 >>log 2>&1 || {
	cat log
	exit 1
}
grep -q 'id="bundle"' study/report.html || skip "this hardy was built without npm"
node "$HARDY_SOURCE/tests/report/browser.mjs" study/report.html run/report.html labels/report.html demo/report.html "$playwright" "$chromium" ${1:+"$1"}
