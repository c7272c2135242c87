package dev.holdfast.protocol.fuzz;

import dev.holdfast.protocol.tpm.EkCertificate;
import dev.holdfast.protocol.tpm.EventLog;
import dev.holdfast.protocol.tpm.PcrSelection;
import dev.holdfast.protocol.tpm.PcrValues;
import dev.holdfast.protocol.tpm.TpmCertification;
import dev.holdfast.protocol.tpm.TpmCredential;
import dev.holdfast.protocol.tpm.TpmFormatException;
import dev.holdfast.protocol.tpm.TpmHash;
import dev.holdfast.protocol.tpm.TpmKeyFault;
import dev.holdfast.protocol.tpm.TpmPublic;
import dev.holdfast.protocol.tpm.TpmQuote;
import dev.holdfast.protocol.tpm.TpmSignature;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.X509FormatException;
import dev.holdfast.testkit.SoftTpm;
import dev.holdfast.testkit.SoftTpm.Life;
import dev.holdfast.testkit.SoftTpm.TpmKey;
import dev.holdfast.testkit.fuzz.FuzzTarget;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.List;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.x509.KeyPurposeId;

/// What a TPM says, its certificates and the log of its boot.
final class TpmTargets {
    private static final TpmKey AK = StoredSeeds.tpm("ak", () -> SoftTpm.ec(SoftTpm.AK));
    private static final TpmKey RSA = StoredSeeds.tpm("rsa", () -> SoftTpm.rsa(SoftTpm.EK));
    private static final TpmKey EC = StoredSeeds.tpm("ec", () -> SoftTpm.ec(SoftTpm.EK));
    private static final byte[] MESSAGE = {1, 2, 3};
    private static final List<PcrSelection> REGISTERS = List.of(PcrSelection.parse("sha256:0,1,7"));
    private static final KeyPurposeId EK = KeyPurposeId.getInstance(new ASN1ObjectIdentifier("2.23.133.8.1"));

    private TpmTargets() {}

    static List<FuzzTarget> all() {
        return List.of(
                new FuzzTarget("tpm-public", 2_000, TpmTargets::area, List.of(AK.area(), RSA.area(), EC.area())),
                new FuzzTarget(
                        "tpm-attest",
                        3_000,
                        TpmTargets::attest,
                        List.of(
                                SoftTpm.quote(AK, List.of(0, 1), new byte[64], new byte[32], Life.FIRST),
                                SoftTpm.certify(AK, AK, new byte[32], Life.FIRST))),
                new FuzzTarget(
                        "tpm-signature",
                        1_500,
                        TpmTargets::signature,
                        StoredSeeds.of(
                                "tpm-signature",
                                () -> List.of(
                                        SoftTpm.sign(AK, MESSAGE), SoftTpm.sign(SoftTpm.rsa(SoftTpm.AK), MESSAGE)))),
                new FuzzTarget("tpm-registers", 2_000, TpmTargets::registers, List.of(new byte[96])),
                new FuzzTarget("tpm-event-log", 3_000, TpmTargets::log, List.of(log())),
                new FuzzTarget(
                        "tpm-certificate",
                        1_000,
                        TpmTargets::certificate,
                        StoredSeeds.of(
                                "tpm-certificate",
                                () -> List.of(Certificates.der(Seeds.certificate(Seeds.p256(), "ek", EK, false))))));
    }

    /// And a key that is good as an endorsement key can be talked to.
    private static boolean area(byte[] input) {
        try {
            TpmPublic read = TpmPublic.parse(input);
            Seeds.require(Arrays.equals(read.area(), input), "encode(decode(x)) = x");
            if (TpmKeyFault.ofEndorsementKey(read).isEmpty()) {
                TpmCredential.make(read, TpmPublic.parse(AK.area()).name(), new byte[32], Seeds.RANDOM);
            }
            return true;
        } catch (TpmFormatException expected) {
            return false;
        }
    }

    private static boolean attest(byte[] input) {
        boolean taken = false;
        try {
            TpmQuote.parse(input);
            taken = true;
        } catch (TpmFormatException expected) {
            Seeds.require(expected.getMessage() != null, "a refusal says why");
        }
        try {
            TpmCertification.parse(input);
            taken = true;
        } catch (TpmFormatException expected) {
            Seeds.require(expected.getMessage() != null, "a refusal says why");
        }
        return taken;
    }

    private static boolean signature(byte[] input) throws TpmFormatException {
        try {
            TpmSignature read = TpmSignature.parse(input);
            read.verifies(TpmPublic.parse(AK.area()), MESSAGE);
            return true;
        } catch (TpmFormatException expected) {
            return false;
        }
    }

    private static boolean registers(byte[] input) {
        try {
            return !PcrValues.parse(REGISTERS, input).digest(TpmHash.SHA256).isEmpty();
        } catch (TpmFormatException expected) {
            return false;
        }
    }

    private static boolean log(byte[] input) {
        try {
            EventLog.parse(input).replay(TpmHash.SHA256);
            return true;
        } catch (TpmFormatException expected) {
            return false;
        }
    }

    private static boolean certificate(byte[] input) {
        X509Certificate read;
        try {
            read = Certificates.parse(input);
        } catch (X509FormatException expected) {
            return false;
        }
        try {
            EkCertificate.verify(read, List.of(), List.of(read), Seeds.NOW);
        } catch (EkCertificate.NotBelieved expected) {
            Seeds.require(expected.getMessage() != null, "a refusal says why");
        }
        return true;
    }

    /// As firmware writes it: a header that names the banks, then events.
    private static byte[] log() {
        ByteBuffer spec = ByteBuffer.allocate(37).order(ByteOrder.LITTLE_ENDIAN);
        spec.put("Spec ID Event03\0".getBytes(StandardCharsets.US_ASCII)).putInt(0);
        spec.put(new byte[] {0, 2, 0, 2}).putInt(2);
        spec.putShort((short) 4).putShort((short) 20).putShort((short) 11).putShort((short) 32);
        spec.put((byte) 0);
        ByteBuffer header = ByteBuffer.allocate(32 + spec.capacity()).order(ByteOrder.LITTLE_ENDIAN);
        header.putInt(0).putInt(3).put(new byte[20]).putInt(spec.capacity()).put(spec.array());
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(header.array());
        for (int register = 0; register < 3; register++) {
            ByteBuffer event = ByteBuffer.allocate(72 + 3).order(ByteOrder.LITTLE_ENDIAN);
            event.putInt(register).putInt(1).putInt(2);
            event.putShort((short) 4).put(new byte[20]).putShort((short) 11).put(new byte[32]);
            out.writeBytes(event.putInt(3).put(MESSAGE).array());
        }
        return out.toByteArray();
    }
}
