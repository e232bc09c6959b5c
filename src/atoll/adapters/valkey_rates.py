"""Token buckets in Valkey (or Redis), on the server's clock, shared by all gateways."""

from __future__ import annotations

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from atoll.domain.ids import Subject
from atoll.errors import DependencyDown

_TIMEOUT_SECONDS = 0.5
_MAX_CONNECTIONS = 32

#: KEYS: bucket. ARGV: tokens a second, size. Returns the wait in milliseconds. A bucket that is full again expires.
_TAKE = """
local now = redis.call('TIME')
local at = now[1] * 1000 + math.floor(now[2] / 1000)
local rate, size = tonumber(ARGV[1]) / 1000, tonumber(ARGV[2])
local known = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = math.min(size, (tonumber(known[1]) or size) + (at - (tonumber(known[2]) or at)) * rate)
local wait = 0
if tokens >= 1 then tokens = tokens - 1 else wait = math.ceil((1 - tokens) / rate) end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', at)
redis.call('PEXPIRE', KEYS[1], math.ceil(size / rate))
return wait
"""


class ValkeyRates:
    """Port ``Rates``."""

    def __init__(self, url: str, password: str | None, *, per_minute: int) -> None:
        # A burst waits for a connection; one retry covers a connection that the broker closed meanwhile.
        pool = BlockingConnectionPool.from_url(
            url,
            password=password,
            socket_timeout=_TIMEOUT_SECONDS,
            socket_connect_timeout=_TIMEOUT_SECONDS,
            max_connections=_MAX_CONNECTIONS,
            timeout=_TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 1),
        )
        self._redis = Redis.from_pool(pool)
        self._take = self._redis.register_script(_TAKE)
        self._arguments = (str(per_minute / 60), str(per_minute))

    async def take(self, subject: Subject) -> float:
        """Take one token."""
        try:
            wait = await self._take(keys=[f"atoll:rate:{subject}"], args=self._arguments)
        except (RedisError, OSError) as error:
            raise DependencyDown(f"the broker is away: {error}") from error
        return int(wait) / 1000

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()
