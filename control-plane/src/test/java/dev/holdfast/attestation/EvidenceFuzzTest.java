package dev.holdfast.attestation;

import dev.holdfast.testkit.fuzz.FuzzTarget;
import dev.holdfast.testkit.fuzz.Fuzzing;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Whatever JSON a device sends about its TPM is read or refused. The TPM's structures in it are fuzzed in
/// `protocol`.
class EvidenceFuzzTest {
    @FunctionalInterface
    private interface Form {
        Object read(byte[] body) throws MalformedEvidenceException;
    }

    private static boolean isTaken(byte[] body) {
        boolean taken = false;
        for (Form form : List.<Form>of(
                AttestationMessages::wish, AttestationMessages::enrolment, AttestationMessages::reattestation)) {
            try {
                taken |= form.read(body) != null;
            } catch (MalformedEvidenceException expected) {
                if (expected.getMessage() == null) {
                    throw new AssertionError("a refusal that does not say why");
                }
            }
        }
        return taken;
    }

    @Test
    void whateverEvidenceComesIsReadOrRefused() {
        List<byte[]> seeds = List.of(
                octets("{\"device\":\"m-1\",\"profile\":\"tpm\",\"ekPublic\":\"AAA=\",\"ekCertificates\":[\"AAA=\"],"
                        + "\"akPublic\":\"AAA=\"}"),
                octets("{\"session\":\"s\",\"activated\":\"AAA=\",\"csr\":\"AAA=\",\"keyPublic\":\"AAA=\","
                        + "\"certifyInfo\":\"AAA=\",\"certifySignature\":\"AAA=\",\"quote\":\"AAA=\","
                        + "\"quoteSignature\":\"AAA=\",\"pcrValues\":\"AAA=\"}"),
                octets("{\"session\":\"s\",\"quote\":\"AAA=\",\"quoteSignature\":\"AAA=\",\"pcrValues\":\"AAA=\"}"));
        int taken = Fuzzing.regress(new FuzzTarget("evidence", 3_000, EvidenceFuzzTest::isTaken, seeds), List.of());
        System.out.println("fuzzed evidence: 3000 inputs, " + taken + " of them taken");
    }

    private static byte[] octets(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
