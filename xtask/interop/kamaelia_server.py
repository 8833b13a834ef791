"""Kamaelia's SimpleServer with its EchoProtocol, on a free port of 127.0.0.1, which it prints. It runs until it is killed."""

from Kamaelia.Chassis.ConnectedServer import SimpleServer
from Kamaelia.Internet.TCPServer import TCPServer
from Kamaelia.Protocol.EchoProtocol import EchoProtocol


class Announced(TCPServer):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        print("port", self.listener.getsockname()[1], flush=True)


SimpleServer(protocol=EchoProtocol, port=0, TCPS=Announced).run()
