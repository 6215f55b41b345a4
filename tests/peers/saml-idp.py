# An identity provider with pysaml2, for tests: the query parameters of /sso control its responses. Prints its address in one line and keeps its own certificate.
import functools
import json
import os
import sys
from base64 import b64encode
from urllib.parse import parse_qs
from wsgiref.simple_server import WSGIRequestHandler, make_server

import saml2.entity
from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
from saml2.config import IdPConfig
from saml2.saml import NAMEID_FORMAT_PERSISTENT, NameID
from saml2.server import Server
from saml2.sigver import CryptoBackendXmlSec1, pre_encryption_part

GCM = "http://www.w3.org/2009/xmlenc11#aes256-gcm"
SIGNATURE = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
DIGEST = "http://www.w3.org/2001/04/xmlenc#sha256"

# Its default is triple DES, which no longer has support.
saml2.entity.pre_encryption_part = functools.partial(pre_encryption_part, msg_enc=GCM)
encrypt = CryptoBackendXmlSec1.encrypt_assertion
CryptoBackendXmlSec1.encrypt_assertion = lambda self, statement, key, template, _type=None, *rest, **more: encrypt(
    self, statement, key, template, "aes-256", *rest, **more
)

options = json.loads(os.environ["IDP"])


def configured(port):
    url = f"http://127.0.0.1:{port}"
    config = IdPConfig()
    config.load(
        {
            "entityid": f"{url}/metadata",
            "xmlsec_binary": "/usr/bin/xmlsec1",
            "key_file": options["key"],
            "cert_file": options["certificate"],
            "metadata": {"local": [options["metadata"]]},
            "service": {
                "idp": {
                    "endpoints": {"single_sign_on_service": [(f"{url}/sso", BINDING_HTTP_REDIRECT)]},
                    "want_authn_requests_signed": True,
                    "want_authn_requests_only_with_valid_cert": False,
                    "name_id_format": [NAMEID_FORMAT_PERSISTENT],
                }
            },
        }
    )
    return Server(config=config)


def answer(idp, query):
    def said(name):
        return query.get(name, [None])[0]

    asked = idp.parse_authn_request(
        said("SAMLRequest"),
        BINDING_HTTP_REDIRECT,
        relay_state=said("RelayState"),
        sigalg=said("SigAlg"),
        signature=said("Signature"),
    )
    to = idp.response_args(asked.message)
    response = idp.create_authn_response(
        {"mail": said("mail"), "givenName": "Pat", "sn": "Person"},
        in_response_to=to["in_response_to"],
        destination=to["destination"],
        sp_entity_id=to["sp_entity_id"],
        name_id=NameID(format=NAMEID_FORMAT_PERSISTENT, text=said("user")),
        authn={"class_ref": said("context") or "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"},
        sign_response="response" in said("sign"),
        sign_assertion="assertion" in said("sign"),
        encrypt_assertion=said("encrypt") == "yes",
        sign_alg=SIGNATURE,
        digest_alg=DIGEST,
    )
    return {
        "destination": to["destination"],
        "SAMLResponse": b64encode(str(response).encode()).decode(),
        "RelayState": said("RelayState"),
    }


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


server = make_server("127.0.0.1", 0, lambda environ, start: serve(environ, start), handler_class=Quiet)
idp = configured(server.server_port)


def serve(environ, start):
    try:
        body, status = answer(idp, parse_qs(environ["QUERY_STRING"])), "200 OK"
    except Exception as error:  # the test reads why
        body, status = {"error": f"{type(error).__name__}: {error}"}, "500 Internal Server Error"
    start(status, [("Content-Type", "application/json")])
    return [json.dumps(body).encode()]


print(json.dumps({"url": f"http://127.0.0.1:{server.server_port}"}), flush=True)
sys.stdout.flush()
server.serve_forever()
