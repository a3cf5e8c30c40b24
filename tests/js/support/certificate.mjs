// A certificate for 127.0.0.1 that signs itself, made anew each time: HTTP/2 needs TLS, and no key is kept in the repository.
import { generateKeyPairSync, sign } from "node:crypto";

/** @returns {{ key: string, cert: string }} PEM */
export function selfSigned() {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const ecdsaWithSha256 = sequence(der(0x06, bytes("2a8648ce3d040302")));
  const name = sequence(der(0x31, sequence(der(0x06, bytes("550403")), der(0x0c, Buffer.from("localhost")))));
  const validity = sequence(der(0x17, Buffer.from("200101000000Z")), der(0x17, Buffer.from("491231235959Z")));
  const addresses = sequence(der(0x82, Buffer.from("localhost")), der(0x87, bytes("7f000001")));
  const extensions = sequence(sequence(der(0x06, bytes("551d11")), der(0x04, addresses)));
  const content = sequence(
    der(0xa0, der(0x02, bytes("02"))), // version 3
    der(0x02, bytes("01")), // serial number
    ecdsaWithSha256,
    name,
    validity,
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, extensions),
  );
  const signature = sign("sha256", content, privateKey);
  const certificate = sequence(content, ecdsaWithSha256, der(0x03, bytes("00"), signature));
  return {
    key: String(privateKey.export({ type: "pkcs8", format: "pem" })),
    cert: `-----BEGIN CERTIFICATE-----\n${certificate.toString("base64").replace(/.{1,64}/g, "$&\n")}-----END CERTIFICATE-----\n`,
  };
}

const bytes = (hex) => Buffer.from(hex, "hex");
const sequence = (...parts) => der(0x30, ...parts);

/** One value of ASN.1: tag, length, content. */
function der(tag, ...parts) {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
