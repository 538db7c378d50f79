"""Leave it to labkit's engine, which has built its registry once."""

from labkit import Engine


class ChatEngine(Engine):
    pass
