"""Actions by mail: SMTP, blind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consumers.connectors.breaker import Breaker
from consumers.connectors.http import Credentials
from consumers.connectors.smtp import Mail, SmtpClient, SmtpTimeouts
from consumers.errors import Rejected
from consumers.integrations.expressions import MappingError, TextTemplate, Value
from consumers.integrations.mapping import completion, context_of, rejected
from consumers.integrations.spec import ActionSpec, IntegrationSpec
from consumers.system import Call, SystemConfig
from schemas.models import Record

__all__ = ["MailAction", "SmtpTransport"]


class SmtpTransport:
    """One mail server; options `sender`, `user` and `password`. `client` is what its lifespan opens."""

    def __init__(self, spec: IntegrationSpec, config: SystemConfig, credentials: Credentials | None) -> None:
        if credentials is not None:
            msg = "protocol smtp takes user and password as options of the system"
            raise ValueError(msg)
        self.spec = spec
        self.client = SmtpClient(
            config.base_url,
            sender=config.options.get("sender") or spec.sender or "",
            timeouts=SmtpTimeouts(connect=spec.timeouts.connect, reply=spec.timeouts.read),
            user=config.options.get("user"),
            password=config.options.get("password", ""),
            connections=spec.concurrency,
            retries=spec.retries.made(),
            breaker=Breaker(spec.breaker.made()),
        )

    def action(self, action: ActionSpec, command: type[Record]) -> MailAction:
        """What does it."""
        return MailAction.of(self.spec, action, command, self.client)


@dataclass(frozen=True, slots=True)
class MailAction:
    """One mail, compiled."""

    spec: IntegrationSpec
    client: SmtpClient
    completion: type[Record]
    values: Value
    subject: TextTemplate
    text: TextTemplate
    response: Value
    probe: None = None

    @classmethod
    def of(cls, spec: IntegrationSpec, action: ActionSpec, command: type[Record], client: SmtpClient) -> MailAction:
        """Compile it."""
        mail = action.mail
        assert mail is not None
        assert command.contract.completion is not None
        values = {name: getattr(mail, name) for name in ("recipient", "recipient_name", "in_reply_to", "tags")}
        return cls(
            spec=spec,
            client=client,
            completion=command.contract.completion,
            values=Value.of(values),
            subject=TextTemplate.of(mail.subject),
            text=TextTemplate.of(mail.text),
            response=Value.of(action.response),
        )

    async def handle(self, command: Record, call: Call) -> Record:
        """Send it. See `consumers.system.Handler`."""
        context = context_of(self.spec, command, call)
        answer = {"message_id": await self.client.send(self._mail(context), call=call)}
        return completion(self.completion, self.response, {**context, "answer": answer}, {})

    def requests_for(self, command: Record, call: Call) -> Sequence[Mail]:
        """What would be sent, without sending it.

        Raises:
            Rejected: the command cannot be sent.

        """
        return [self._mail(context_of(self.spec, command, call))]

    def _mail(self, context: Mapping[str, Any]) -> Mail:
        try:
            values = self.values.evaluate(context, nulls=True)
            tags = values["tags"]
            texts = {name: values[name] for name in ("recipient", "recipient_name")} | tags
            if wrong := [name for name, value in texts.items() if not isinstance(value, str)]:
                raise Rejected("BAD_REQUEST_MAPPING", f"{', '.join(wrong)}: gives no text")
            return Mail(
                recipient=values["recipient"],
                recipient_name=values["recipient_name"],
                subject=self.subject.evaluate(context),
                text=self.text.evaluate(context),
                in_reply_to=values["in_reply_to"],
                tags=tags,
            )
        except MappingError as exc:
            raise rejected(exc) from exc
