package dev.holdfast.protocol.acme;

import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.cbor.CBORFactory;
import com.fasterxml.jackson.dataformat.cbor.databind.CBORMapper;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.X509FormatException;
import java.io.IOException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A WebAuthn attestation object (Web Authentication section 6.5.4) as device-attest-01 carries it, read and
/// not verified: `{"fmt": ..., "attStmt": {...}, "authData": ...}` in CBOR. Attestations for ACME need no
/// authenticator data; where there is some it is what the statement was made over.
///
/// @param authData empty where absent
@SuppressWarnings("ArrayRecordComponent") // never compared
public record AttestationObject(String format, Statement statement, byte[] authData) {
    private static final int MOST_OCTETS = 48 * 1024;
    private static final int MOST_CERTIFICATES = 6;
    private static final CBORMapper CBOR = CBORMapper.builder(CBORFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(6)
                            .maxStringLength(MOST_OCTETS)
                            .maxNumberLength(32)
                            .build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    /// What the formats have in common, and what only some have.
    ///
    /// @param algorithm COSE's number (RFC 9053), 0 where absent
    /// @param chain the attestation certificate first
    /// @param certInfo of format `tpm`
    /// @param pubArea of format `tpm`
    @SuppressWarnings("ArrayRecordComponent") // never compared
    public record Statement(
            long algorithm,
            byte[] signature,
            List<X509Certificate> chain,
            Optional<String> version,
            Optional<byte[]> certInfo,
            Optional<byte[]> pubArea) {
        public Statement {
            chain = List.copyOf(chain);
        }
    }

    /// @throws AcmeException `badAttestationStatement` for what is none
    public static AttestationObject parse(byte[] cbor) throws AcmeException {
        if (cbor.length == 0 || cbor.length > MOST_OCTETS) {
            throw bad("an attestation object of " + cbor.length + " octets is not accepted");
        }
        try {
            JsonNode json = CBOR.readTree(cbor);
            if (json == null || !json.isObject()) {
                throw bad("the attestation object is not a map");
            }
            JsonNode statement = json.path("attStmt");
            if (!json.path("fmt").isTextual() || !statement.isObject()) {
                throw bad("the attestation object has no 'fmt' or no 'attStmt'");
            }
            return new AttestationObject(
                    json.path("fmt").asText(),
                    new Statement(
                            statement.path("alg").asLong(0),
                            octets(statement, "sig").orElseThrow(() -> bad("the statement has no signature")),
                            chain(statement),
                            Optional.ofNullable(statement.get("ver")).map(JsonNode::asText),
                            octets(statement, "certInfo"),
                            octets(statement, "pubArea")),
                    octets(json, "authData").orElse(new byte[0]));
        } catch (IOException | X509FormatException | RuntimeException e) {
            throw bad("the attestation object can't be read");
        }
    }

    private static List<X509Certificate> chain(JsonNode statement)
            throws AcmeException, IOException, X509FormatException {
        JsonNode array = statement.path("x5c");
        if (!array.isArray() || array.isEmpty() || array.size() > MOST_CERTIFICATES) {
            throw bad("the statement has no chain of 1 to " + MOST_CERTIFICATES + " certificates");
        }
        List<X509Certificate> all = new ArrayList<>();
        for (JsonNode one : array) {
            byte[] der = one.binaryValue();
            if (der == null) {
                throw bad("a certificate of the chain is not a byte string");
            }
            all.add(Certificates.parse(der));
        }
        return all;
    }

    private static Optional<byte[]> octets(JsonNode object, String member) throws AcmeException, IOException {
        JsonNode found = object.get(member);
        if (found == null) {
            return Optional.empty();
        }
        if (!found.isBinary()) {
            throw bad("'" + member + "' is not a byte string");
        }
        return Optional.of(found.binaryValue());
    }

    static AcmeException bad(String detail) {
        return new AcmeException(AcmeProblem.BAD_ATTESTATION_STATEMENT, detail);
    }

    static JsonNode cbor(byte[] bytes) throws AcmeException {
        try (var parser = CBOR.createParser(bytes)) {
            JsonNode read = CBOR.readTree(parser); // what follows it is for the caller to judge
            if (read == null) {
                throw bad("empty where CBOR was expected");
            }
            return read;
        } catch (IOException | RuntimeException e) {
            throw bad("CBOR that can't be read");
        }
    }
}
