package dev.holdfast.protocol.ocsp;

import dev.holdfast.protocol.der.DerFormatException;
import dev.holdfast.protocol.der.DerReader;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Which certificate is meant (RFC 6960 section 4.1.1, CertID): the issuer by two hashes, and a serial
/// number.
///
/// Two are the same when they are written the same, octet for octet.
public final class CertificateId {
    private static final int LONGEST_SERIAL = 21;
    /// 1.3.14.3.2.26, and 2.16.840.1.101.3.4.2 with 1, 2 and 3.
    private static final Map<Hash, byte[]> OIDS = new EnumMap<>(Map.of(
            Hash.SHA_1,
            new byte[] {0x2b, 0x0e, 0x03, 0x02, 0x1a},
            Hash.SHA_256,
            nist(1),
            Hash.SHA_384,
            nist(2),
            Hash.SHA_512,
            nist(3)));

    /// The hashes in which issuers are named here.
    public enum Hash {
        /// A name that the protocol prescribes; nothing rests on its strength.
        SHA_1("SHA-1"),
        SHA_256("SHA-256"),
        SHA_384("SHA-384"),
        SHA_512("SHA-512");

        private final String javaName;

        Hash(String javaName) {
            this.javaName = javaName;
        }

        /// As MessageDigest names it.
        public String javaName() {
            return javaName;
        }
    }

    private final byte[] der;
    private final @Nullable Hash hash;
    private final byte[] issuerNameHash;
    private final byte[] issuerKeyHash;
    private final byte[] serial;

    private CertificateId(byte[] der, @Nullable Hash hash, byte[] issuerNameHash, byte[] issuerKeyHash, byte[] serial) {
        this.der = der;
        this.hash = hash;
        this.issuerNameHash = issuerNameHash;
        this.issuerKeyHash = issuerKeyHash;
        this.serial = serial;
    }

    private static byte[] nist(int last) {
        return new byte[] {0x60, (byte) 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, (byte) last};
    }

    static CertificateId read(DerReader from) throws DerFormatException {
        byte[] der = from.whole();
        DerReader contents = DerReader.of(der).enter(DerReader.SEQUENCE);
        DerReader algorithm = contents.enter(DerReader.SEQUENCE);
        DerReader oid = algorithm.enter(DerReader.OID);
        if (algorithm.isNext(DerReader.NULL) && algorithm.element().length() > 0) {
            throw new DerFormatException("a NULL with contents");
        }
        algorithm.end();
        byte[] name = contents.enter(DerReader.OCTET_STRING).bytes();
        byte[] key = contents.enter(DerReader.OCTET_STRING).bytes();
        byte[] serial = contents.enter(DerReader.INTEGER).integer();
        contents.end();
        if (serial.length > LONGEST_SERIAL || name.length > 64 || key.length > 64) {
            throw new DerFormatException("a certificate id of unreasonable size");
        }
        Hash found = null;
        for (Map.Entry<Hash, byte[]> one : OIDS.entrySet()) {
            if (oid.holds(one.getValue())) {
                found = one.getKey();
            }
        }
        return new CertificateId(der, found, name, key, serial);
    }

    /// Empty for a hash that is not used here: then the issuer is not one of ours as far as can be told.
    public Optional<Hash> hash() {
        return Optional.ofNullable(hash);
    }

    /// Whether the issuer is the one of these hashes.
    public boolean isBy(Hash by, byte[] nameHash, byte[] keyHash) {
        return by == hash && Arrays.equals(keyHash, issuerKeyHash) && Arrays.equals(nameHash, issuerNameHash);
    }

    public BigInteger serial() {
        return new BigInteger(serial);
    }

    /// As it was asked, to be repeated in the answer.
    byte[] der() {
        return der;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof CertificateId that && Arrays.equals(der, that.der);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(der);
    }
}
