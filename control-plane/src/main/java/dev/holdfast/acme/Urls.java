package dev.holdfast.acme;

import dev.holdfast.core.Serial;
import java.util.Optional;
import java.util.function.Supplier;

/// The URLs of one profile's directory. They come from the configuration, never from what a request said.
///
/// @param root such as `https://holdfast.example.org:8443/acme/gateway/`
record Urls(String root) {
    static final String PATH = "/acme/";

    static Urls of(Supplier<String> base, String profile) {
        return new Urls(base.get() + PATH + profile + "/");
    }

    String directory() {
        return root + "directory";
    }

    String at(String resource) {
        return root + resource;
    }

    String account(String id) {
        return root + "account/" + id;
    }

    /// The id in an account's URL; empty when it is another directory's, or none.
    Optional<String> accountId(String url) {
        String start = root + "account/";
        return url.startsWith(start) && url.length() > start.length()
                ? Optional.of(url.substring(start.length()))
                : Optional.empty();
    }

    String orders(String account) {
        return root + "orders/" + account;
    }

    String order(String id) {
        return root + "order/" + id;
    }

    String finalization(String order) {
        return order(order) + "/finalize";
    }

    String authorization(String id) {
        return root + "authorization/" + id;
    }

    String challenge(String id) {
        return root + "challenge/" + id;
    }

    String certificate(Serial serial) {
        return root + "certificate/" + serial.hex();
    }

    String certificateWithRoot(Serial serial) {
        return certificate(serial) + "/with-root";
    }
}
