//! The `switchhook` command.

/// why: a call is some hundreds of small pieces of memory, taken by one thread and given back by
/// another; with the allocator of the C library a call takes a sixth more of a processor.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    switchhook::cli::main()
}
