"""A folder tree judged by Python: as many processes as asked for, each with every n-th file, JSON lines to stdout.

    python3 benches/archive/peer.py PIPELINE MODEL TREE PROCESSES > answers.jsonl

PIPELINE is a folder with a `pipeline.py` whose `Classifier(model, None, fast=True).classify(bytes)` answers as /classify does.
"""

import json
import multiprocessing
import os
import sys
import time
from pathlib import Path

CHUNK = 64


def judge_all(pipeline, model, files, number, processes, lock):
    sys.path.insert(0, pipeline)
    from pipeline import AudioError, Classifier

    classifier, seconds, lines = Classifier(model, None, fast=True), 0.0, []

    def write():
        with lock:
            os.write(1, "".join(lines).encode())
        lines.clear()

    for file in files[number::processes]:
        try:
            answer = classifier.classify(Path(file).read_bytes())
            seconds += answer["audio"]["duration_seconds"]
        except AudioError as error:
            answer = {"error": str(error)}
        lines.append(json.dumps({"file": file} | answer) + "\n")
        if len(lines) == CHUNK:
            write()
    write()
    return seconds


def main():
    pipeline, model, tree, processes = sys.argv[1:]
    began, processes = time.monotonic(), int(processes)
    files = sorted(str(path) for path in Path(tree).rglob("*") if path.suffix in (".wav", ".flac"))
    lock = multiprocessing.Lock()
    with multiprocessing.Pool(processes, initializer=share, initargs=(lock,)) as pool:
        work = [(pipeline, model, files, number, processes) for number in range(processes)]
        seconds = sum(pool.starmap(start, work, chunksize=1))
        # Ended by itself and waited for, each counts in the processor time of this process's parent.
        pool.close()
        pool.join()
    took = time.monotonic() - began
    speed = seconds / 3600 / (took / 60)
    print(f"{len(files)} files; {seconds / 3600:.2f} h of audio in {took:.1f} s: {speed:.1f} audio hours a minute", file=sys.stderr)


def share(shared):
    global lock
    lock = shared


def start(*arguments):
    return judge_all(*arguments, lock)


if __name__ == "__main__":
    main()
