"""A plot of the samples, as SVG."""

from collections.abc import Sequence

WIDTH, PANEL, LEFT, TOP, GAP = 900, 150, 70, 30, 50
COLOURS = ("#1b6ca8", "#c2452d", "#3a8f4d", "#8a5bb0")


def plotted(minutes: Sequence[float], panels: Sequence[tuple[str, dict[str, Sequence[float]]]]) -> str:
    """Draw lines over minutes, a panel for each unit."""
    height = TOP + len(panels) * (PANEL + GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    last = max(minutes[-1], 1e-9)
    for number, (unit, lines) in enumerate(panels):
        top = TOP + number * (PANEL + GAP)
        most = max(max(values) for values in lines.values()) or 1.0
        parts.append(f'<text x="{LEFT}" y="{top - 8}">{unit}</text>')
        parts.append(
            f'<path d="M{LEFT} {top}V{top + PANEL}H{WIDTH - 20}" fill="none" stroke="#888"/>'
            f'<text x="{LEFT - 6}" y="{top + 10}" text-anchor="end">{most:.4g}</text>'
            f'<text x="{LEFT - 6}" y="{top + PANEL}" text-anchor="end">0</text>'
            f'<text x="{WIDTH - 20}" y="{top + PANEL + 16}" text-anchor="end">{last:.0f} min</text>'
        )
        for at, (name, values) in enumerate(lines.items()):
            points = " ".join(
                f"{LEFT + minute / last * (WIDTH - LEFT - 20):.1f},{top + PANEL * (1 - value / most):.1f}"
                for minute, value in zip(minutes, values, strict=True)
            )
            colour = COLOURS[at]
            parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}"/>')
            parts.append(f'<text x="{LEFT + 200 + 170 * at}" y="{top - 8}" fill="{colour}">{name}</text>')
    return "\n".join([*parts, "</svg>", ""])
