//! Prints the descriptor set that reflection answers from, for tools that want it as a file:
//! `grpcurl -protoset nodepods.protoset ...`.

use std::io::Write as _;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(nodepods::serve::grpc::reflection::DESCRIPTORS)
}
