"""Recording of the translated track, in the page, as PCM."""

import base64
import io

import av
import numpy as np
import scipy.signal
from playwright.async_api import Page

from rtc_server.pcm import Samples

RATE = 48_000
START = """(element) => {
  const recorder = new MediaRecorder(document.querySelector(element).srcObject, {
    mimeType: "audio/webm;codecs=pcm",
  });
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  recorder.start();
  window.finishRecording = () =>
    new Promise((resolve) => {
      recorder.onstop = () => {
        const reader = new FileReader();
        reader.onload = () => resolve(reader.result.split(",")[1]);
        reader.readAsDataURL(new Blob(parts));
      };
      recorder.stop();
    });
}"""


async def start_recording(page: Page, element: str = "#output") -> None:
    """Record what the page plays from now on: the translation, or another element."""
    await page.evaluate(START, element)


async def finish_recording(page: Page) -> Samples:
    """Return the recording as mono float32 at `RATE`."""
    file = base64.b64decode(await page.evaluate("finishRecording()"))
    pieces: list[Samples] = []
    with av.open(io.BytesIO(file), "r") as container:
        for frame in container.decode(audio=0):
            channels = frame.to_ndarray().astype(np.float32).reshape(-1, frame.layout.nb_channels)
            pieces.append(channels[:, 0])
            rate = frame.sample_rate
    return np.asarray(scipy.signal.resample_poly(np.concatenate(pieces), RATE, rate), np.float32)
