#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What a process has taken of the processors.
enum ProcessorTime {
    /// User and system time of all threads of this process since its start.
    static var ofThisProcess: Duration {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
