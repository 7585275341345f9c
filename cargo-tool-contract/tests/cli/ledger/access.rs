//! Which ledger, and what cannot be opened.

use std::fs;
use std::process::Command;

use super::stage::{Stage, id, succeeded, terms};
use crate::shell::{Said, command, finish, plain_command};

fn at(url: &str, args: &[&str]) -> Said {
    let mut command = plain_command();
    finish(command.env_remove("TOOL_CONTRACT_LEDGER").args(["ledger", "--ledger", url]).args(args))
}

fn names(stage: &Stage) -> Vec<String> {
    let files = fs::read_dir(stage.directory.path()).expect("a directory");
    let mut names: Vec<String> =
        files.map(|file| file.expect("a file").file_name().into_string().expect("UTF-8")).collect();
    names.sort();
    names
}

#[test]
fn every_way_to_write_a_file_leads_to_it() {
    let stage = Stage::new();
    stage.run(&id("charge_card", "order-18"), terms(), succeeded("1"));
    let path = stage.file().to_str().expect("UTF-8").to_owned();
    for url in [path.clone(), format!("sqlite:{path}"), format!("sqlite://{path}")] {
        let said = at(&url, &["ls"]);
        assert!(said.code == 0 && said.out.contains("order-18"), "{url}: {said:?}");
    }
    // Both programs, and the place where people forget that it may stand.
    let mut cargo = command();
    let said = finish(cargo.args(["tool-contract", "ledger", "ls", "--ledger", &path]));
    assert_eq!(said, at(&path, &["ls"]));
}

#[test]
fn a_ledger_that_is_not_there_is_not_made() {
    let stage = Stage::new();
    let before = names(&stage);
    let missing = stage.directory.path().join("legder.db");
    let missing = missing.to_str().expect("UTF-8");
    for args in [&["ls"][..], &["verify"], &["prune"], &["show", "k"]] {
        let said = at(missing, args);
        let expected = format!(
            "error: the ledger is unavailable: there is no ledger at {missing}: No such file or directory (os error 2); \
             nothing was made there\n"
        );
        assert_eq!((said.code, said.out.as_str(), said.err), (2, "", expected));
    }
    assert_eq!(names(&stage), before);
}

#[test]
fn what_is_no_ledger_is_left_alone() {
    for (name, text, problem) in [
        ("empty.db", &b""[..], "it is empty"),
        (
            "notes.txt",
            b"a shopping list, and nothing that SQLite would know",
            "is not an SQLite database",
        ),
        ("noise.db", &[0x80, 0xff, 0, 27, b'['][..], "is not an SQLite database"),
    ] {
        let stage = Stage::new();
        let path = stage.directory.path().join(name);
        fs::write(&path, text).expect("a file");
        let before = names(&stage);
        let said = at(path.to_str().expect("UTF-8"), &["ls"]);
        assert!(said.code == 2 && said.out.is_empty() && said.err.contains(problem), "{said:?}");
        assert_eq!((names(&stage), fs::read(&path).expect("a file")), (before, text.to_vec()));
    }
}

#[test]
fn another_database_is_left_alone() {
    let stage = Stage::new();
    let path = stage.directory.path().join("shop.db");
    let shop = rusqlite::Connection::open(&path).expect("a database");
    shop.execute_batch("CREATE TABLE orders (id INTEGER)").expect("a table");
    drop(shop);
    let before = (names(&stage), fs::read(&path).expect("a file"));
    let said = at(path.to_str().expect("UTF-8"), &["ls"]);
    assert!(said.code == 2 && said.err.contains("of another application"), "{said:?}");
    assert_eq!((names(&stage), fs::read(&path).expect("a file")), before);
}

#[test]
fn a_directory_is_no_ledger() {
    let stage = Stage::new();
    let said = at(stage.directory.path().to_str().expect("UTF-8"), &["ls"]);
    assert!(said.code == 2 && said.err.contains("is a directory; name a file in it"), "{said:?}");
}

#[test]
fn no_ledger_and_no_known_ledger_are_said() {
    let said = finish(plain_command().env_remove("TOOL_CONTRACT_LEDGER").args(["ledger", "ls"]));
    let expected = "error: no ledger is named\n  = help: write `--ledger sqlite:PATH`, or set \
                    TOOL_CONTRACT_LEDGER in the environment\n";
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (2, "", expected));

    let said = at("sqllite:ledger.db", &["ls"]);
    let expected =
        "error: there is no ledger of the kind `sqllite:`\n  = help: did you mean `sqlite:`?\n";
    assert_eq!((said.code, said.err.as_str()), (2, expected));
}

#[test]
fn a_file_has_no_namespace() {
    let said = Stage::new().ledger(&["ls", "--namespace", "x"]);
    let expected = "error: a file is one ledger, and takes no `--namespace`\n";
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (2, "", expected));
}

#[test]
fn no_password_is_printed() {
    // Port 9 of this machine: nobody listens there.
    for url in [
        "mysql://ada:hush@db/tools",
        "postgers://ada:hush@db/tools?password=hush",
        "postgres://ada:hush@127.0.0.1:9/tools",
        "redis://ada:hush@127.0.0.1:9/0",
    ] {
        for args in [&["ls"][..], &["ls", "--json"]] {
            let said = at(url, args);
            assert_eq!((said.code, said.out.as_str()), (2, ""));
            assert!(!said.err.contains("hush"), "{}", said.err);
        }
    }
}

#[test]
fn errors_are_json_for_programs() {
    let said = at("mysql://ada:hush@db/tools", &["ls", "--json"]);
    let expected = "{\n  \"error\": {\n    \"kind\": \"usage\",\n    \"message\": \"there is no ledger of the kind `mysql:`\",\n    \
                    \"help\": \"write `sqlite:PATH`, `postgres://…` or `redis://…`; a path with a `:` in it as `sqlite:PATH`\",\n    \
                    \"state\": null,\n    \"wait_ms\": null\n  }\n}\n";
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (2, "", expected));
}

#[test]
fn without_cargo_the_plain_program_says_what_works() {
    let empty = tempfile::TempDir::new().expect("a directory");
    let empty = empty.path();
    let alone = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tool-contract"));
        finish(command.args(args).current_dir(empty).env("PATH", empty).env_remove("CARGO"))
    };
    for args in [&["check"][..], &["emit"]] {
        let expected = "error: this asks the code of a project, and there is no cargo here to do it with\n  \
                        = help: name a contract file, as in `tool-contract check tool-contract.yaml`; `ledger` and \
                        `explain` need no project\n";
        let said = alone(args);
        assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (2, "", expected));
    }
    assert_eq!(alone(&["explain", "TC0004"]).code, 0);
    let said = alone(&["explain", "TC0999"]);
    assert!(said.err.contains("`tool-contract explain` lists them"), "{said:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_and_a_reader_that_left_is_none() {
    let stage = Stage::new();
    stage.run(&id("charge_card", "order-18"), terms(), succeeded("1"));
    let ledger = |stdout: fs::File| {
        let mut command = plain_command();
        command.env("TOOL_CONTRACT_LEDGER", stage.file()).args(["ledger", "ls"]).stdout(stdout);
        finish(&mut command)
    };
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    let said = ledger(full);
    assert!(said.code == 2 && said.err.contains("cannot write to standard output"), "{said:?}");

    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut command = plain_command();
    command.env("TOOL_CONTRACT_LEDGER", stage.file()).args(["ledger", "ls"]).stdout(writer);
    assert_eq!(finish(&mut command), Said { code: 0, out: String::new(), err: String::new() });
}
