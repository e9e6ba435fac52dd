"""One model server: connections, credentials, retries.

Promises: only hosts that the configuration names are contacted, redirects are never followed, and a request is
made again only while not one byte of an answer has been seen. Errors come out as `Failed` with their kind.
"""

from __future__ import annotations

import asyncio
import io
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from guardrail import settings
from guardrail.proxy.faults import Failed, Fault

READ_BUFFER = 1 << 16
"""Bytes read ahead of the relay for each stream; aiohttp pauses the socket at twice this. Small, since it is what
a slow client makes us hold, and still hundreds of events."""

RETRIED_STATUS = frozenset({502, 503, 504})
"""What a gateway in front of the model says when the model was not reached."""

RETRY_PAUSE = 0.1
"""Seconds before the first retry, doubled for each further one: enough for a restarted process to listen again."""

TAIL_GRACE = 1.0
"""Seconds an answer that is complete for us may take to end its body, for its connection to be used again."""

READABLE_ENCODINGS = ("gzip", "deflate", "br")


@dataclass(slots=True)
class Attempts:
    """How many requests were made; written as they are made, so that it is right when the last one fails."""

    count: int = 0


MAX_URLS = 64
"""Addresses remembered for each upstream; clients choose paths, so that there must be an end to it."""


class Upstream:
    """A model server with its own connection pool. Made on the event loop; `close` it there."""

    def __init__(self, config: settings.Upstream, api_key: str | None) -> None:
        """`api_key`: the upstream's own key, from the environment. Raises OSError, ssl.SSLError for a bad CA."""
        self.config = config
        self.in_use = 0
        """Answers being relayed; the pool of a replaced configuration lives as long as there are any."""
        self._urls: dict[str, URL] = {}
        self._tails: set[asyncio.Future[None]] = set()
        self._base = URL(config.url, encoded=True)
        self._api_key = api_key
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=_tls(config)),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, connect=config.timeouts.connect),
            read_bufsize=READ_BUFFER,
            skip_auto_headers=("User-Agent", "Content-Type", "Accept", "Accept-Encoding"),
            trust_env=False,
        )

    @property
    def has_key(self) -> bool:
        """Whether guardrail holds this upstream's key; a client's own credentials are then never forwarded."""
        return self._api_key is not None

    async def request(
        self,
        method: str,
        raw_path: str,
        query: str,
        headers: CIMultiDict[str],
        body: bytes,
        attempts: Attempts,
        *,
        key_header: str = "Authorization",
    ) -> aiohttp.ClientResponse:
        """Send a request and return its answer once the headers are here; the caller must close or release it.

        `raw_path` and `query` as they came, still encoded; `headers` as `headers.to_upstream` left them; `key_header`:
        where the protocol has the key. Raises Failed.
        """
        if self._api_key is not None:
            name = self.config.api_key_header or key_header
            headers[name] = f"Bearer {self._api_key}" if name.lower() == "authorization" else self._api_key
        headers["Accept-Encoding"] = "identity"  # a compressed stream is buffered before it is sent
        url = self.url(raw_path, query)
        while True:
            attempts.count += 1
            last = attempts.count > self.config.retries
            try:
                response = await self._session.request(
                    method,
                    url,
                    # A long body is written piece by piece, as the upstream takes it.
                    data=(io.BytesIO(body) if len(body) > READ_BUFFER else body) or None,
                    headers=headers,
                    allow_redirects=False,
                )
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                failed = _classify(error)
                if last or failed.fault not in (
                    Fault.CONNECT_FAILED,
                    Fault.CONNECT_TIMEOUT,
                    Fault.UPSTREAM_CLOSED,
                ):
                    raise failed from error
            else:
                if last or response.status not in RETRIED_STATUS:
                    return response
                response.close()
            await asyncio.sleep(RETRY_PAUSE * 2 ** (attempts.count - 1))

    def url(self, raw_path: str, query: str) -> URL:
        """The upstream's address for a client's path: appended to the base, `/v1` never twice."""
        # Nearly all requests are for the same few paths.
        made = self._urls.get(raw_path) if not query else None
        if made is None:
            made = self._url(raw_path, query)
            if not query and len(self._urls) < MAX_URLS:
                self._urls[raw_path] = made
        return made

    def _url(self, raw_path: str, query: str) -> URL:
        base = self._base.raw_path.rstrip("/")
        if base.endswith("/v1") and raw_path.startswith("/v1/"):
            raw_path = raw_path[3:]
        origin = f"{self._base.scheme}://{self._base.raw_authority}"
        return URL(f"{origin}{base}{raw_path}{'?' + query if query else ''}", encoded=True)

    def spare(self, answer: aiohttp.ClientResponse) -> None:
        """Let `answer`, of which nothing more is wanted, end in the background, or close it if it goes on."""
        if answer.content.is_eof() and not answer.closed:
            answer.release()
        elif not answer.closed:
            task = asyncio.ensure_future(_read_tail(answer))
            self._tails.add(task)
            task.add_done_callback(self._tails.discard)

    async def close(self) -> None:
        """Close every connection of the pool."""
        for task in self._tails:
            task.cancel()
        await self._session.close()


async def _read_tail(answer: aiohttp.ClientResponse) -> None:
    size = 0
    try:
        async with asyncio.timeout(TAIL_GRACE):
            while size <= READ_BUFFER and (data := await answer.content.readany()):
                size += len(data)
    except (TimeoutError, aiohttp.ClientError):
        pass
    if answer.content.at_eof():
        answer.release()
    else:
        answer.close()


def _tls(config: settings.Upstream) -> ssl.SSLContext | bool:
    if not config.url.startswith("https:"):
        return True  # never used: no certificates need to be read
    context = ssl.create_default_context(cafile=config.tls.ca)
    if not config.tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _classify(error: BaseException) -> Failed:
    """What went wrong before any answer, as a fault. The details stay out of it: they name internal hosts."""
    match error:
        case aiohttp.ConnectionTimeoutError():
            return Failed(Fault.CONNECT_TIMEOUT)
        case aiohttp.ClientConnectorError() | aiohttp.ClientConnectorCertificateError():
            return Failed(Fault.CONNECT_FAILED)
        case aiohttp.ClientResponseError() | aiohttp.InvalidURL():
            return Failed(Fault.UPSTREAM_BAD_ENCODING if _undecodable(error) else Fault.UPSTREAM_BAD_HTTP)
        case TimeoutError():
            return Failed(Fault.CONNECT_TIMEOUT)
        case _:
            return Failed(Fault.UPSTREAM_CLOSED)


def read_fault(error: aiohttp.ClientError) -> Fault:
    """What a failure while reading a body is: undecodable, or broken off."""
    return Fault.UPSTREAM_BAD_ENCODING if _undecodable(error) else Fault.UPSTREAM_CLOSED


def _undecodable(error: BaseException | None) -> bool:
    """Whether `error` comes of a body that does not decode."""
    while error is not None:
        if isinstance(error, aiohttp.http_exceptions.ContentEncodingError):
            return True
        error = error.__cause__
    return False


class Upstreams:
    """The model servers of the current configuration, opened when first used.

    An upstream whose settings a reload changed gets a new pool; the old one goes when its last response ends.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._open: dict[str, Upstream] = {}
        self._retired: list[Upstream] = []

    def get(self, name: str, config: settings.Upstream) -> Upstream:
        """The upstream `name`, as configured by `config`. Raises Failed when its CA file cannot be used."""
        found = self._open.get(name)
        if found is not None and found.config == config:
            return found
        try:
            made = Upstream(config, self._environ.get(config.api_key_env) if config.api_key_env else None)
        except OSError as error:  # ssl.SSLError is one
            raise Failed(Fault.CONNECT_FAILED, "The model server's CA file cannot be used.") from error
        if found is not None:
            self._retired.append(found)
        self._open[name] = made
        return made

    async def sweep(self) -> None:
        """Close the pools that a reload retired and nothing uses any more."""
        idle = [u for u in self._retired if not u.in_use]
        self._retired = [u for u in self._retired if u.in_use]
        for upstream in idle:
            await upstream.close()

    async def close(self) -> None:
        """Close every pool."""
        for upstream in (*self._open.values(), *self._retired):
            await upstream.close()
        self._open.clear()
        self._retired.clear()
