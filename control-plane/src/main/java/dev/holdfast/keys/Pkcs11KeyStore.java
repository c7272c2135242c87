package dev.holdfast.keys;

import dev.holdfast.config.Configuration;
import dev.holdfast.config.ConfigurationException;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.protocol.x509.KeyKind;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.ProviderException;
import java.security.PublicKey;
import java.security.Security;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Instant;
import java.util.Arrays;
import java.util.Date;
import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/// Keys in a hardware module, by PKCS #11: made inside, sensitive and not extractable, so that a copy of this
/// machine holds no key. The module signs; when it is taken away or locked, nothing is signed and every caller
/// hears why.
///
/// Java's key stores want a certificate beside each key: a self-signed one stands there, which nobody uses.
public final class Pkcs11KeyStore implements SigningKeys {
    private static final Instant FOR_EVER = Instant.parse("9999-12-31T23:59:59Z"); // RFC 5280 section 4.1.2.5

    private final Provider provider;
    private final KeyStore token;
    private final String where;
    private final Map<String, KeyPair> loaded = new ConcurrentHashMap<>();

    private Pkcs11KeyStore(Provider provider, KeyStore token, String where) {
        this.provider = provider;
        this.token = token;
        this.where = where;
    }

    /// Loads the module and logs in.
    ///
    /// @throws ConfigurationException naming what is wrong: the library, the slot, the token or its PIN
    public static Pkcs11KeyStore open(Configuration.KeySettings settings) throws ConfigurationException {
        Configuration.Pkcs11Settings module = settings.pkcs11();
        if (module.library() == null || module.slot() == null) {
            throw new ConfigurationException("configuration: keys.pkcs11 needs library and slot");
        }
        if (!Files.isReadable(Path.of(module.library())) || module.library().matches(".*[\\s\"'].*")) {
            throw new ConfigurationException("keys.pkcs11.library can't be read: " + module.library());
        }
        String where = "slot " + module.slot() + " of " + module.library();
        char[] pin = PassphraseStore.pin(settings);
        try {
            Provider provider = Security.getProvider("SunPKCS11").configure(configuration(module));
            KeyStore token = KeyStore.getInstance("PKCS11", provider);
            token.load(null, pin);
            return new Pkcs11KeyStore(provider, token, where);
        } catch (IOException | GeneralSecurityException | RuntimeException e) {
            throw new ConfigurationException(
                    "the PKCS #11 token in " + where + " can't be used: " + cause(e)
                            + "; is it there, and is the PIN in keys.pkcs11.pinFile right?",
                    e);
        } finally {
            Arrays.fill(pin, '\0');
        }
    }

    /// What SunPKCS11 reads: keys are generated on the token, for signing, and never leave it.
    private static String configuration(Configuration.Pkcs11Settings module) {
        return "--name=holdfast-" + module.slot()
                + "\nlibrary=" + module.library()
                + "\nslot=" + module.slot()
                + "\nattributes(generate,CKO_PRIVATE_KEY,CKK_EC)={\nCKA_TOKEN=true\nCKA_PRIVATE=true\nCKA_SENSITIVE=true"
                + "\nCKA_EXTRACTABLE=false\nCKA_SIGN=true\nCKA_DECRYPT=false\nCKA_UNWRAP=false\n}"
                + "\nattributes(generate,CKO_PUBLIC_KEY,CKK_EC)={\nCKA_TOKEN=true\nCKA_VERIFY=true\n}\n";
    }

    /// The innermost message is PKCS #11's own, such as CKR_PIN_LOCKED.
    private static String cause(Throwable fault) {
        return fault.getCause() == null ? String.valueOf(fault.getMessage()) : cause(fault.getCause());
    }

    @Override
    public synchronized PublicKey create(String name, KeyKind kind) throws IOException {
        Optional<KeyPair> known = load(name);
        if (known.isPresent()) {
            return known.get().getPublic();
        }
        if (!kinds().contains(kind)) {
            throw new IllegalArgumentException("keys of the kind " + kind + " are not made on tokens here");
        }
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC", provider);
            generator.initialize(new ECGenParameterSpec(kind == KeyKind.EC_P384 ? "secp384r1" : "secp256r1"));
            KeyPair made = generator.generateKeyPair();
            token.setKeyEntry(name, made.getPrivate(), null, new Certificate[] {placeholder(name, made)});
            return load(name).orElseThrow().getPublic();
        } catch (GeneralSecurityException | ProviderException | OperatorCreationException e) {
            throw new IOException("no key could be made on the token in " + where + ": " + cause(e), e);
        }
    }

    private X509Certificate placeholder(String name, KeyPair pair)
            throws GeneralSecurityException, OperatorCreationException {
        X500Name subject = new X500Name("CN=holdfast key " + name);
        X509v3CertificateBuilder builder = new X509v3CertificateBuilder(
                subject,
                BigInteger.ONE,
                Date.from(Instant.EPOCH),
                Date.from(FOR_EVER),
                subject,
                SubjectPublicKeyInfo.getInstance(pair.getPublic().getEncoded()));
        return new JcaX509CertificateConverter()
                .getCertificate(builder.build(new JcaContentSignerBuilder(Crypto.schemeFor(pair.getPublic()))
                        .setProvider(provider)
                        .build(pair.getPrivate())));
    }

    @Override
    public Optional<PublicKey> find(String name) throws IOException {
        return load(name).map(KeyPair::getPublic);
    }

    private Optional<KeyPair> load(String name) throws IOException {
        if (!name.matches("[a-z0-9][a-z0-9-]{0,80}")) {
            throw new IllegalArgumentException("not a key name: " + name);
        }
        KeyPair known = loaded.get(name);
        if (known != null) {
            return Optional.of(known);
        }
        try {
            if (!(token.getKey(name, null) instanceof PrivateKey key) || token.getCertificate(name) == null) {
                return Optional.empty();
            }
            // The public key as the rest of the house holds keys, not as a handle into the token.
            PublicKey open = Crypto.publicKey(
                    "EC", token.getCertificate(name).getPublicKey().getEncoded());
            KeyPair pair = new KeyPair(open, key);
            loaded.put(name, pair);
            return Optional.of(pair);
        } catch (GeneralSecurityException | ProviderException e) {
            throw new IOException("the token in " + where + " does not answer: " + cause(e), e);
        }
    }

    @Override
    public byte[] sign(String name, byte[] message) {
        try {
            KeyPair pair = load(name)
                    .orElseThrow(() -> new IllegalStateException("no key " + name + " on the token in " + where));
            Signature signer = Signature.getInstance(Crypto.schemeFor(pair.getPublic()), provider);
            signer.initSign(pair.getPrivate());
            signer.update(message);
            return signer.sign();
        } catch (IOException | GeneralSecurityException | ProviderException e) {
            throw new IllegalStateException(
                    "nothing was signed: the token in " + where + " can't use key " + name + " (" + cause(e)
                            + "); put it back or unlock it, then restart",
                    e);
        }
    }

    /// Never: a token may be at the other end of a network.
    @Override
    public boolean isQuick(String name) {
        return false;
    }

    @Override
    public Set<KeyKind> kinds() {
        return EnumSet.of(KeyKind.EC_P256, KeyKind.EC_P384);
    }

    @Override
    public String describe() {
        return "the PKCS #11 token in " + where;
    }
}
