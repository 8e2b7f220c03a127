"""The pages of a room as tests use them."""

from typing import Any

from playwright.async_api import Page

SILENT_YET = ["Failed to load resource"]
"""Console error of a page whose room does not exist yet (404)."""


async def hears(page: Page) -> bool:
    """Return whether translated sound arrives."""
    energy: Any = await page.evaluate(
        """async () => {
          const audio = document.querySelector("#voice");
          const context = new AudioContext();
          const analyser = context.createAnalyser();
          context.createMediaStreamSource(audio.srcObject).connect(analyser);
          const samples = new Float32Array(analyser.fftSize);
          for (let i = 0; i < 600; i++) {
            analyser.getFloatTimeDomainData(samples);
            if (samples.some((sample) => Math.abs(sample) > 0.02)) return true;
            await new Promise((wake) => setTimeout(wake, 50));
          }
          return false;
        }"""
    )
    return bool(energy)
