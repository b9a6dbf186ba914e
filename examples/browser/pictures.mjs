// Draws a clip: its waveform, and its log-mel.

const STOPS = [[8, 12, 40], [60, 30, 120], [180, 55, 110], [240, 140, 60], [255, 240, 170]]; // dark to bright
const RANGE_DB = 80;

export function drawWaveform(canvas, samples) {
  const { width, height } = canvas, context = canvas.getContext("2d"), step = samples.length / width;
  const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 1e-9);
  context.clearRect(0, 0, width, height);
  context.fillStyle = getComputedStyle(canvas).getPropertyValue("--bar");
  for (let x = 0; x < width; x++) {
    const part = samples.subarray(Math.floor(x * step), Math.floor((x + 1) * step));
    const top = (Math.max(...part) / peak) * (height / 2), bottom = (Math.min(...part) / peak) * (height / 2);
    context.fillRect(x, height / 2 - top, 1, Math.max(1, top - bottom));
  }
}

function colour(share) {
  const at = Math.min(Math.max(share, 0), 0.9999) * (STOPS.length - 1), i = Math.floor(at);
  return STOPS[i].map((each, c) => each + (STOPS[i + 1][c] - each) * (at - i));
}

/** mel: [bands * frames], dB; low bands come first and are drawn at the bottom. */
export function drawLogMel(canvas, mel) {
  const { width, height } = canvas, context = canvas.getContext("2d"), image = context.createImageData(width, height);
  const top = mel.reduce((most, each) => Math.max(most, each), -Infinity);
  mel.forEach((each, i) => {
    const row = height - 1 - Math.floor(i / width), at = 4 * (row * width + (i % width));
    image.data.set([...colour(1 + (each - top) / RANGE_DB), 255], at);
  });
  context.putImageData(image, 0, 0);
}
