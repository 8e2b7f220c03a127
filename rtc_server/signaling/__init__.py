"""HTTP: calls, pages, health. The only layer (with app) that knows aiohttp."""
