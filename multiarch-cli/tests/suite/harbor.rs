//! What a Harbor would refuse is found before anything is sent, all of it in one answer.

use multiarch_testing::{Fault, Harbor, Project, Setup};
use serde_json::Value;

use crate::{
    desk::{Desk, Run, multiarch},
    server::Server,
};

const PROJECTS: [&str; 3] = ["demo", "library", "mesh"];

fn start(harbor: Harbor) -> Server {
    let setup = Setup { harbor: Some(harbor), ..Setup::default() };
    let setup = setup.user("admin", "Harbor12345").user("dev", "secret");
    Server::set_up(setup, |_| Fault::Nothing)
}

fn run_as(user: &str, desk: &Desk, words: &[&str]) -> Run {
    let password = if user == "admin" { "Harbor12345" } else { "secret" };
    let mut command = multiarch();
    command.current_dir(desk.path()).args(words);
    command.env("MULTIARCH_USERNAME", user).env("MULTIARCH_PASSWORD", password);
    Run::of(&mut command)
}

/// The methods of the requests since the last call that change something, without those for tokens.
fn writes(server: &Server) -> Vec<String> {
    let requests = server.take().into_iter();
    requests.filter(|r| !r.reads()).map(|r| format!("{} {}", r.method, r.path)).collect()
}

fn check<'v>(report: &'v Value, subject: &str) -> &'v Value {
    let checks = report["checks"].as_array().expect("checks");
    checks.iter().find(|check| check["subject"] == subject).unwrap_or(&Value::Null)
}

#[test]
fn missing_projects() {
    let desk = Desk::new();
    let server = start(Harbor::new(&["demo"], "dev"));
    let (amd64, target) = (desk.package("amd64"), server.target());
    let run = run_as("dev", &desk, &["check", &amd64, "--to", &target, "--json"]);
    assert_eq!(run.code, Some(1), "{}", run.err);
    let report = run.json();
    assert_eq!(check(&report, "projects")["says"], "library, mesh are not there");
    assert_eq!(check(&report, "target")["result"], "ok", "{report}");
    assert_eq!(run.err.matches("library, mesh").count(), 1, "{}", run.err);
    assert!(run.err.contains("--create-projects"), "{}", run.err);
    assert_eq!(writes(&server), [""; 0], "a check writes nothing");
    // What is in other projects is imported.
    let run = run_as("dev", &desk, &["import", &amd64, "--to", &target]);
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert_eq!(run.err.matches("library, mesh").count(), 1, "{}", run.err);
    assert_eq!(server.registry.repositories(), ["demo/bench"]);
    let run = run_as("dev", &desk, &["plan", &amd64, "--to", &target, "--create-projects"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(!server.registry.harbor().projects.contains_key("mesh"), "a plan creates nothing");
    let words = ["import", &amd64, "--to", &target, "--create-projects"];
    let run = run_as("dev", &desk, &words);
    assert_eq!(run.code, Some(0), "{}", run.err);
    {
        let harbor = server.registry.harbor();
        assert!(PROJECTS.iter().all(|name| harbor.projects.contains_key(*name)));
        assert!(harbor.projects.values().all(|project| !project.public));
    }
    let run = run_as("dev", &desk, &["check", &amd64, "--to", &target]);
    assert_eq!(run.code, Some(0), "{}{}", run.out, run.err);
    // A name without a project is a matter of the name, and no project is created for it.
    let image = multiarch_generator::Image::new("amd64", "redis");
    let archive = multiarch_generator::images_tar(&[("quay.io/redis:1", &image)]);
    let archive = desk.write("redis.tar", archive);
    let words = ["import", &archive, "--to", &target, "--create-projects"];
    let run = run_as("dev", &desk, &words);
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert!(
        run.err.contains("invalid repository name") && run.err.contains("--names"),
        "{}",
        run.err
    );
    assert!(!server.registry.harbor().projects.contains_key("redis"));
    // One project is even called `localhost`.
    let server = start(Harbor::new(&[], "dev"));
    let image = multiarch_generator::Image::new("amd64", "app");
    let archive = multiarch_generator::images_tar(&[("localhost/localhost/app:1", &image)]);
    let archive = desk.write("archive.tar", archive);
    let target = server.target();
    let words = ["import", &archive, "--to", &target, "--create-projects", "--public-projects"];
    let run = run_as("dev", &desk, &words);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(server.registry.harbor().projects["localhost"].public);
}

#[test]
fn projects_that_cannot_be_created() {
    let desk = Desk::new();
    let server = start(Harbor { admin_only: true, ..Harbor::new(&["demo"], "dev") });
    let (amd64, target) = (desk.package("amd64"), server.target());
    let words = ["import", &amd64, "--to", &target, "--create-projects"];
    let run = run_as("dev", &desk, &words);
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert!(run.err.contains("Only system admin can create project"), "{}", run.err);
    assert_eq!(server.registry.repositories(), [""; 0], "nothing is sent");
    assert_eq!(run_as("admin", &desk, &words).code, Some(0));
}

#[test]
fn without_the_right_to_push() {
    let desk = Desk::new();
    let mut harbor = Harbor::new(&PROJECTS, "dev");
    let guests = Project { guests: vec!["dev".into()], ..Project::default() };
    harbor.projects.insert("mesh".into(), guests);
    let server = start(harbor);
    let (amd64, target) = (desk.package("amd64"), server.target());
    let run = run_as("dev", &desk, &["check", &amd64, "--to", &target, "--json"]);
    assert_eq!(run.code, Some(1), "{}", run.err);
    let report = run.json();
    let says = check(&report, "push-right")["says"].as_str().expect("a text").to_owned();
    assert!(says.contains("mesh/pilot") && !says.contains("demo"), "{says}");
    assert!(run.err.contains("\"dev\"") && !run.err.contains("secret"), "{}", run.err);
    assert_eq!(writes(&server), [""; 0]);
    let run = run_as("dev", &desk, &["import", &amd64, "--to", &target]);
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert!(!writes(&server).iter().any(|request| request.contains("mesh")));
    assert!(server.registry.repositories().contains(&"demo/web".to_owned()));
}

#[test]
fn a_quota_that_is_too_small() {
    let desk = Desk::new();
    let mut harbor = Harbor::new(&PROJECTS, "dev");
    harbor.projects.get_mut("library").expect("there").quota = Some(300);
    let server = start(harbor);
    let (amd64, target) = (desk.package("amd64"), server.target());
    for verb in ["check", "plan", "import"] {
        let run = run_as("dev", &desk, &[verb, &amd64, "--to", &target]);
        assert_eq!(run.code, Some(1), "{verb}: {}", run.err);
        let says = run.err.contains(
            "the project library needs 502 B more, and its quota of 300 B has 300 B left",
        );
        assert!(says && run.err.contains("--anyway"), "{verb}: {}", run.err);
        assert_eq!(writes(&server), [""; 0], "{verb}");
    }
    let report = run_as("dev", &desk, &["import", &amd64, "--to", &target, "--json"]).json();
    let images = report["images"].as_array().expect("images");
    let not_reached = images.iter().filter(|image| image["state"] == "not-reached").count();
    assert_eq!((images.len(), not_reached), (6, 6), "what was to come is listed: {report}");
    let run = run_as("dev", &desk, &["import", &amd64, "--to", &target, "--anyway"]);
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert!(server.registry.tags("mesh/pilot") == ["v1"], "what fits is imported");
    assert_eq!(server.registry.tags("library/cache"), [""; 0]);
    server.registry.harbor().projects.get_mut("library").expect("there").quota = Some(502);
    let run = run_as("dev", &desk, &["import", &amd64, "--to", &target]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    // All is there, so that nothing more is needed.
    let run = run_as("dev", &desk, &["import", &amd64, "--to", &target]);
    assert_eq!(run.code, Some(0), "{}", run.err);
}

#[test]
fn read_only_mode() {
    let desk = Desk::new();
    let server = start(Harbor { read_only: true, ..Harbor::new(&PROJECTS, "dev") });
    let (amd64, target) = (desk.package("amd64"), server.target());
    let run = run_as("dev", &desk, &["import", &amd64, "--to", &target]);
    assert_eq!(run.code, Some(1), "{}", run.err);
    assert_eq!(
        run.err.matches("read-only mode").count(),
        2,
        "the error and what to do: {}",
        run.err
    );
    assert_eq!(writes(&server), [""; 0]);
    server.registry.harbor().read_only = false;
    assert_eq!(run_as("dev", &desk, &["import", &amd64, "--to", &target]).code, Some(0));
    // What needs no write is no problem.
    server.registry.harbor().read_only = true;
    assert_eq!(run_as("dev", &desk, &["import", &amd64, "--to", &target]).code, Some(0));
}

#[test]
fn tags_that_a_rule_keeps() {
    for user in ["admin", "dev"] {
        let desk = Desk::new();
        let mut harbor = Harbor::new(&PROJECTS, "dev");
        harbor.projects.get_mut("demo").expect("there").immutable = vec!["v1".into()];
        let server = start(harbor);
        let (amd64, target) = (desk.package("amd64"), server.target());
        // The first push is allowed.
        let run = run_as(user, &desk, &["import", &amd64, "--to", &target]);
        assert_eq!(run.code, Some(0), "{user}: {}", run.err);
        server.take();
        let arm64 = desk.package("arm64");
        let run = run_as(user, &desk, &["check", &arm64, "--to", &target, "--json"]);
        assert_eq!(run.code, Some(1), "{user}: {}", run.err);
        assert_eq!(check(&run.json(), "tags")["says"], "a rule keeps demo/web:v1.2.0");
        assert_eq!(writes(&server), [""; 0], "{user}");
        let run = run_as(user, &desk, &["import", &arm64, "--to", &target]);
        assert_eq!(run.code, Some(1), "{user}: {}", run.err);
        assert!(!writes(&server).iter().any(|request| request.contains("demo/web")), "{user}");
    }
}

#[test]
fn a_wrong_password_is_tried_once() {
    let desk = Desk::new();
    let server = start(Harbor::new(&PROJECTS, "dev"));
    let (amd64, target) = (desk.package("amd64"), server.target());
    let mut command = multiarch();
    command.env("MULTIARCH_USERNAME", "dev").env("MULTIARCH_PASSWORD", "wrong");
    let run = Run::of(command.args(["check", &amd64, "--to", &target]));
    assert_eq!(run.code, Some(1), "{}", run.err);
    let with_login = server.take().into_iter().filter(|request| request.is_authorized()).count();
    assert_eq!(with_login, 1, "{}", run.err);
}
