package dev.holdfast.ca;

import org.jooq.DSLContext;

/// Gives out places in the parts of revocation lists, so that no part ever holds more than it should,
/// however many nodes issue: the sequence goes up by a block, and each node fills the blocks it took. What a
/// restart leaves of one stays empty.
final class ListParts {
    /// Certificates in one part at most; the sequence starts here, so the first part is 1.
    static final int SIZE = 1_024;
    /// As the sequence goes up.
    private static final int BLOCK = 64;

    private long next;
    private int left;

    synchronized long place(DSLContext sql) {
        if (left == 0) {
            next = CertificateStore.places(sql);
            left = BLOCK;
        }
        left--;
        return next++ / SIZE;
    }
}
