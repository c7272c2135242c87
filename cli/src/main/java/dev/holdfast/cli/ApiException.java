package dev.holdfast.cli;

/// The server refused, or could not be reached; carries the exit code that scripts rely on.
final class ApiException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /// 1 error, 3 not found, 4 not allowed, 5 conflict, 6 gate failed or rolled back, 7 timed out.
    private final int exitCode;

    ApiException(int exitCode, String message) {
        super(message);
        this.exitCode = exitCode;
    }

    int exitCode() {
        return exitCode;
    }

    static ApiException problem(int status, String message) {
        int code = switch (status) {
            case 404, 410 -> 3;
            case 401, 403 -> 4;
            case 409, 412 -> 5;
            case 408, 504 -> 7;
            default -> 1;
        };
        return new ApiException(code, message);
    }
}
