"""HTTP: calls, what the server can translate, health, the page. See docs/protocol.md."""

from rtc_server.signaling.access_log import AccessLog, server_logger
from rtc_server.signaling.http_app import make_http_app

__all__ = ["AccessLog", "make_http_app", "server_logger"]
