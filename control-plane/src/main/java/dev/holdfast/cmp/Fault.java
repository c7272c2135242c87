package dev.holdfast.cmp;

import dev.holdfast.protocol.cmp.CmpException;
import dev.holdfast.protocol.cmp.CmpFailure;

/// Why a message comes to nothing, where that is found out inside a change.
record Fault(CmpFailure failure, String text) {
    CmpException exception() {
        return new CmpException(failure, text);
    }
}
