"""What of a page can hardly be read: words whose colour is too near to that of their ground."""

from typing import Final

FAINT: Final = """(() => {
    const parts = (colour) => {
        const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number);
        return { rgb: [r, g, b], a };
    };
    const over = (top, below) => top.rgb.map((v, i) => v * top.a + below[i] * (1 - top.a));
    const light = (rgb) => rgb
        .map((v) => v / 255)
        .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = (element) => {
        const layers = [];
        for (let at = element; at; at = at.parentElement) {
            layers.push(parts(getComputedStyle(at).backgroundColor));
            if (layers.at(-1).a === 1) break;
        }
        return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]);
    };
    const faint = [];
    for (const element of document.body.querySelectorAll("*")) {
        const own = [...element.childNodes].filter((n) => n.nodeType === 3 && n.data.trim());
        if (!own.length || !element.checkVisibility()) continue;
        if (element.matches("script, noscript, option")) continue;
        const style = getComputedStyle(element);
        const below = ground(element);
        const [dark, bright] = [light(below), light(over(parts(style.color), below))].sort(
            (a, b) => a - b
        );
        const size = parseFloat(style.fontSize);
        const large = size >= 24 || (size >= 18.6 && Number(style.fontWeight) >= 700);
        if ((bright + 0.05) / (dark + 0.05) < (large ? 3 : 4.5))
            faint.push(`${own[0].data.trim().slice(0, 40)} (${element.className})`);
    }
    return [...new Set(faint)];
})()"""
"""WCAG 2.1, 1.4.3: 4.5 to 1, and 3 to 1 for large words; gives the words that have less."""
