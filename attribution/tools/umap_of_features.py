#!/usr/bin/env python3
"""Draws the probe's features in two dimensions with UMAP (McInnes et al. 2018), from an atlas report, as one self-contained SVG.

    pip install umap-learn
    attribution/tools/umap_of_features.py build/report/report.json map.svg

Optional: the report's page has a map of the same features by principal components, and needs no Python.
"""
import argparse
import json
import sys
from html import escape

SIZE, MARGIN, LEGEND = 640, 24, 56
COLORS = {True: ("copied", "#1a8f3c"), False: ("recited", "#c62f2f")}


def features_of(file):
    """Rows {subject, setting, copied, values} of the report's part "tracking"."""
    try:
        with open(file, encoding="utf-8") as text:
            report = json.load(text)
    except OSError as error:
        sys.exit(f"{file}: {error.strerror}")
    except ValueError as error:
        sys.exit(f"{file}: no JSON: {error}")
    parts = report.get("parts", []) if isinstance(report, dict) else []
    tracking = next((part for part in parts if part.get("name") == "tracking"), None)
    if tracking is None:
        sys.exit(f'{file}: no atlas report: it has no part "tracking". Give the report.json of openbook atlas report.')
    rows = tracking.get("result", {}).get("features", {}).get("rows")
    if not rows or len(rows) < 3:
        sys.exit(f'{file}: the part "tracking" holds no features (state: {tracking.get("state")}). Run that part again.')
    return rows


def reduced(rows, neighbors, seed):
    try:
        import umap
    except ImportError as error:
        sys.exit(f"UMAP can't be imported ({error}). Install it: pip install umap-learn")
    reducer = umap.UMAP(n_neighbors=min(neighbors, len(rows) - 1), random_state=seed, n_jobs=1)
    return [(float(x), float(y)) for x, y in reducer.fit_transform([row["values"] for row in rows])]


def scaled(values):
    low, high = min(values), max(values)
    room = SIZE - 2 * MARGIN
    return [MARGIN + room * (value - low) / ((high - low) or 1) for value in values]


def svg_of(rows, points):
    xs, ys = scaled([x for x, _ in points]), scaled([-y for _, y in points])
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE + LEGEND}" font-family="sans-serif" font-size="14">',
        "<title>Features of the probe, own test relations (UMAP)</title>",
        f'<rect width="{SIZE}" height="{SIZE + LEGEND}" fill="#ffffff"/>',
    ]
    for row, x, y in zip(rows, xs, ys):
        label, color = COLORS[row["copied"]]
        hint = escape(f'{row["subject"]}, {row["setting"]}: {label}')
        lines.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}" fill-opacity="0.6"><title>{hint}</title></circle>')
    for i, (copied, (label, color)) in enumerate(COLORS.items()):
        count = sum(row["copied"] == copied for row in rows)
        lines.append(f'<circle cx="{MARGIN + 200 * i}" cy="{SIZE + 20}" r="5" fill="{color}"/>')
        lines.append(f'<text x="{MARGIN + 12 + 200 * i}" y="{SIZE + 25}">{label}: {count}</text>')
    return "\n".join(lines + ["</svg>", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", help="report.json of openbook atlas report")
    parser.add_argument("out", help="the SVG to write")
    parser.add_argument("--neighbors", type=int, default=15, help="UMAP's n_neighbors (default: 15)")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same map (default: 1)")
    given = parser.parse_args()
    if given.neighbors < 2:
        parser.error("--neighbors: at least 2")
    rows = features_of(given.report)
    picture = svg_of(rows, reduced(rows, given.neighbors, given.seed))
    try:
        with open(given.out, "w", encoding="utf-8") as file:
            file.write(picture)
    except OSError as error:
        sys.exit(f"{given.out}: {error.strerror}")


if __name__ == "__main__":
    main()
