package dev.holdfast.protocol.tpm;

import dev.holdfast.protocol.x509.Crypto;
import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.util.HexFormat;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.DERSequence;

/// TPMT_SIGNATURE (part 2 section 11.3.4).
///
/// @param value the signature as Java takes it, hexadecimal: for ECDSA the DER of r and s
public record TpmSignature(TpmScheme scheme, String value) {
    private static final int MOST_OCTETS = 1_024;

    public static TpmSignature parse(byte[] bytes) throws TpmFormatException {
        TpmReader in = new TpmReader("TPMT_SIGNATURE", bytes, MOST_OCTETS);
        TpmScheme.Kind kind = TpmScheme.Kind.of(in.u16());
        TpmScheme scheme = new TpmScheme(kind, TpmHash.strong(in.u16()));
        byte[] value = kind.isRsa() ? in.sized(512) : der(in.sized(66), in.sized(66));
        in.end();
        return new TpmSignature(scheme, HexFormat.of().formatHex(value));
    }

    private static byte[] der(byte[] r, byte[] s) throws TpmFormatException {
        try {
            return new DERSequence(new ASN1Integer[] {
                        new ASN1Integer(new BigInteger(1, r)), new ASN1Integer(new BigInteger(1, s))
                    })
                    .getEncoded(ASN1Encoding.DER);
        } catch (IOException e) {
            throw TpmFormatException.malformed("not an ECDSA signature");
        }
    }

    /// Whether this key made it over this message: by the scheme the key is fixed to, where it is.
    public boolean verifies(TpmPublic key, byte[] message) {
        return (key.scheme().isEmpty() || key.scheme().get().equals(scheme)) && verifies(key.key(), message);
    }

    /// Whether this key made it over this message.
    public boolean verifies(PublicKey key, byte[] message) {
        byte[] signature = HexFormat.of().parseHex(value);
        String hash = "SHA" + scheme.hash().octets() * 8;
        return switch (scheme.kind()) {
            case RSASSA -> key instanceof RSAPublicKey && Crypto.verify(key, hash + "withRSA", message, signature);
            case ECDSA -> key instanceof ECPublicKey && Crypto.verify(key, hash + "withECDSA", message, signature);
            case RSAPSS ->
                key instanceof RSAPublicKey rsa
                        && (pss(rsa, message, signature, scheme.hash().octets())
                                || pss(rsa, message, signature, largestSalt(rsa)));
        };
    }

    /// Part 1 appendix B.7: the salt is as long as it can be, or as the digest where FIPS 186-4 counts.
    private int largestSalt(RSAPublicKey key) {
        return (key.getModulus().bitLength() + 6) / 8 - scheme.hash().octets() - 2;
    }

    private boolean pss(RSAPublicKey key, byte[] message, byte[] signature, int salt) {
        String hash = scheme.hash().javaName();
        try {
            Signature verifier = Signature.getInstance("RSASSA-PSS", Crypto.provider());
            verifier.initVerify(key); // first: without a key, its size is taken to be 2048 bits
            verifier.setParameter(new PSSParameterSpec(hash, "MGF1", new MGF1ParameterSpec(hash), salt, 1));
            verifier.update(message);
            return verifier.verify(signature);
        } catch (GeneralSecurityException | IllegalArgumentException notSigned) {
            return false; // a salt that this key has no room for is nothing it can have signed with
        }
    }
}
