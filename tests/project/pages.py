#!/usr/bin/env python3
"""Runs every command that a page shows and compares what it prints with what the page shows.

    pages.py [PAGE.md...]      README.md and all of docs without a name; HARDY_PROGRAM is the program to try, else build/hardy

The rule: every block of commands is run, unless a comment before it says why it cannot be in some seconds on the phantom: it needs
real scans, other machines, or minutes. A page is run in an empty folder of its own, from top to bottom. In a fenced block marked
`console` a line that begins with "$ " is a command (one that ends in a backslash goes on in the next line), and the lines behind it
are its output, both streams together. A block marked `sh` holds commands alone, and so does a block without a mark, or one that is
indented, whose first line begins with a program (PROGRAMS). In outputs a number stands for any number, and a line that is only "..."
for any number of lines; a block that ends with a command shows nothing of its output. A command must succeed unless its output has a
line "exit code N".

Comments that a reader does not see:
    <!-- run: COMMAND -->                  a command before what follows
    <!-- not run: REASON -->               the next block cannot be run here; the reason is counted and printed
    <!-- file: NAME -->                    the next block is what the file NAME of the page's folder holds
    <!-- needs: PROGRAM -->                the rest of the page cannot be run where PROGRAM is not installed; said like the above
    <!-- hardy NAME gets: OPTIONS -->      appended to each `hardy NAME` of the page but those that resume, to make it short
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
PROGRAM = os.path.abspath(os.environ.get("HARDY_PROGRAM", os.path.join(SOURCE, "build", "hardy")))
NUMBER = re.compile(r"\d+(?:\.\d+)?")
PROGRAMS = re.compile(r"\$ |(?:[A-Z]+=\S+ )?(?:hardy|build|script|tests|bench|meson|ninja|mpirun|pip|cc|sh)(?:/\S+)?(?: |$)")


def blocks(text):
    """What the page asks for, in order: (line number, kind, text) with kind run, not run, file, needs, a command that gets, or the word behind the fence."""
    fence, begin, held, indented = None, 0, [], []
    for n, line in enumerate(text.splitlines() + [""], 1):
        if fence is None and line.startswith("    "):
            indented.append(line[4:])
            continue
        if indented and line.strip():
            yield n - len(indented), "", indented
        if line.strip() or fence is not None:
            indented = []
        elif indented:
            indented.append("")
            continue
        if fence is not None:
            if line.strip() == "```":
                yield begin, fence, held
                fence = None
            else:
                held.append(line)
        elif line.startswith("```"):
            fence, begin, held = line[3:].strip(), n, []
        else:
            comment = re.fullmatch(r"<!-- (run|not run|file|needs|hardy [a-z]+ gets): (.*) -->", line.strip())
            if comment:
                yield n, comment.group(1), comment.group(2)


def commands(kind, lines):
    """(command, expected output or None) of a block."""
    out, k = [], 0
    while k < len(lines):
        line = lines[k]
        k += 1
        if kind == "console" and not line.startswith("$ "):
            sys.exit(f"a console block begins with output: {line!r}")
        command = line[2:] if kind == "console" else line
        while command.endswith("\\") and k < len(lines):
            command = command[:-1] + lines[k]
            k += 1
        expected = []
        while kind == "console" and k < len(lines) and not lines[k].startswith("$ "):
            expected.append(lines[k])
            k += 1
        command = command.split("  #")[0].strip() if kind == "console" else command.split(" #")[0].strip()
        if command:
            out.append((command, [e for e in expected if e.strip()] or None))
    return out


def same(shown, printed):
    """Whether one line could be the other: numbers are wild, runs of spaces alike, remarks behind two spaces and # left out."""
    words = lambda s: re.sub(r"\s+", " ", NUMBER.sub("0", s)).strip()
    return words(re.sub(r"\s{2,}#.*", "", shown)) == words(printed)


def matches(shown, printed):
    if not shown:
        return not printed
    if shown[0].strip() == "...":
        return any(matches(shown[1:], printed[k:]) for k in range(len(printed) + 1))
    return bool(printed) and same(shown[0], printed[0]) and matches(shown[1:], printed[1:])


def run(page):
    """(commands run, failures, reasons for what was not run)."""
    n_run, failures, left, extra, skip, name = 0, [], [], {}, None, None
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "build"))
        os.symlink(PROGRAM, os.path.join(folder, "build", "hardy"))
        os.symlink(os.path.join(SOURCE, "bench"), os.path.join(folder, "bench"))
        env = dict(os.environ, PATH=os.path.join(folder, "build") + ":" + os.environ["PATH"], COLUMNS="100", HARDY_SOURCE=SOURCE)
        for at, kind, held in blocks(open(page, encoding="utf-8").read()):
            if kind == "not run":
                skip = held
            elif kind == "needs":
                if not shutil.which(held):
                    left.append(f"needs {held}, which is not installed")
                    break
            elif kind.endswith(" gets"):
                extra[kind[:-5]] = " " + held + " "
            elif kind == "file":
                name = held
            elif name and kind != "run":
                with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
                    f.write("\n".join(held) + "\n")
                name = None
            elif kind in ("run", "console", "sh") or (kind == "" and PROGRAMS.match(held[0].strip())):
                if skip:
                    left.append(skip)
                    skip = None
                    continue
                for command, shown in [(held, None)] if kind == "run" else commands(kind, held):
                    n_run += 1
                    whole = re.sub(r"\b(hardy [a-z]+) [^|;&>]*", lambda m: m.group(0) if "--resume" in m.group(0) else
                                   m.group(0).rstrip() + extra.get(m.group(1), " "), command)
                    p = subprocess.run(whole, shell=True, cwd=folder, env=env, text=True, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
                    printed = [line for line in p.stdout.splitlines() if line.strip()]
                    code = next((int(s.split()[2]) for s in shown or () if re.fullmatch(r"exit code \d+", s)), 0)
                    shown = [s for s in shown or () if not s.startswith("exit code ")] or None
                    if p.returncode != code:
                        failures.append(f"{page}:{at}: {whole}: exit code {p.returncode}, want {code}\n" + p.stdout)
                    elif shown and not matches(shown, printed):
                        failures.append(f"{page}:{at}: {whole}\n--- shown\n" + "\n".join(shown) + "\n--- printed\n" + "\n".join(printed))
            else:
                skip = None
    return n_run, failures, left


def main(pages):
    bad = tried = 0
    for page in pages:
        n, failures, left = run(page)
        for f in failures:
            print(f)
        print(f"{page}: {n} commands run, {len(failures)} failed" + "".join(f"; not run: {r}" for r in left))
        bad += len(failures)
        tried += n
    sys.exit(1 if bad or not tried else 0)


if __name__ == "__main__":
    main(sys.argv[1:] or [os.path.join(SOURCE, "README.md"), *sorted(glob.glob(os.path.join(SOURCE, "docs", "**", "*.md"), recursive=True))])
